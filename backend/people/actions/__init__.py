"""What changes people, teams, the organisation, and how they prove who they are: one module for each noun."""
