"""Adapters to target models."""
