"""A model without some concepts: previewed, written, recorded."""
