"""Adapters to image generators."""
