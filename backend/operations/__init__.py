"""What the people who run the installation look at: work that gave up."""
