"""Answers questions about a run: precomputed, cached or computed on demand."""
