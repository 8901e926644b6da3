"""Meetings: invitations that travel in mail (iTIP, RFC 5546), and what those who were invited answered."""
