"""The models of a run, opened again when a question needs them."""
