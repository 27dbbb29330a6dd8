"""Judging one neuron: the bar of verdicts, its editor, what a press does, the history."""
