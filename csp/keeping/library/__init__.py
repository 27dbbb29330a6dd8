"""The runs on this machine: finding, adopting, deleting and putting back."""
