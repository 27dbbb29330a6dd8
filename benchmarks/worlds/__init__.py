"""Made-up worlds in which it is known what each neuron follows: what judges labelers, and fits `chance`."""
