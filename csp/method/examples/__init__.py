"""Activating and contrastive examples."""
