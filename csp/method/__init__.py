"""Floor 1: the method. Pure functions on arrays; no files, models or screens."""
