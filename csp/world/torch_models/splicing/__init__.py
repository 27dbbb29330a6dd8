"""Sparse autoencoders inside a model: what one gives, and how its latents become a layer."""
