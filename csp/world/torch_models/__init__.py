"""What adapters to PyTorch models share."""
