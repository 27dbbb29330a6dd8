"""The runs on this machine and their health."""
