"""Where long work is done: here, or on the machines of a Ray cluster."""
