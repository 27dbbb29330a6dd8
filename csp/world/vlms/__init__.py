"""Adapters to vision-language models."""
