"""Candidates that a vision-language model proposed: the panel, what it saw, asking it."""
