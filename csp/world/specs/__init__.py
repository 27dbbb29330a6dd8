"""Specs: `scheme:what` texts that name a model or dataset."""
