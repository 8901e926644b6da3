"""Mail servers and mail format: knows no database and none of our tables."""
