"""Measuring labels and neurons of a run."""
