"""Floor 4: indexing makes a run; the explorer answers questions about it."""
