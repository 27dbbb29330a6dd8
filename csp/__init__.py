"""CSP Explorer: explains image classifiers neuron by neuron."""
