"""Floor 2: adapters to target models, encoders and datasets."""
