"""Adapters to CLIP-like encoders."""
