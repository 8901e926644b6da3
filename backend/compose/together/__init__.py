"""Writing a draft together, live: its shared document, the rooms in which it is written, and what is said there."""
