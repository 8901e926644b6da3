"""Drafts, the outbox as people use it, and the state machine that sends."""
