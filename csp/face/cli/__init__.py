"""The `csp` command: thin commands over floor 4."""
