"""The start page, and the presentation for a wall."""
