"""The page of one neuron."""
