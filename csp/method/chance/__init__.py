"""The chance that a neuron's first label is true, from what needs no truth."""
