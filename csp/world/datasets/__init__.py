"""Adapters to probe datasets."""
