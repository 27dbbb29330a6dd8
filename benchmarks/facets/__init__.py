"""How much of what a neuron looks for its facets name: `python -m benchmarks.facets`."""
