"""Making a run, from a model and images or from arrays."""
