"""What a neuron does to the classes, and where in an image it fires."""
