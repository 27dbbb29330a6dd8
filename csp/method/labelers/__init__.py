"""Rules that score texts for a neuron."""
