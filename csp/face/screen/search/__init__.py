"""The search page, and trying an image."""
