"""Scores of texts for neurons, and what texts mean the same."""
