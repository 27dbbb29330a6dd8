"""Floor 3: the run folder and the result cache."""
