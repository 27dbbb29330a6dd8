"""The kinds of jobs, one a module: its work, the check of its arguments, and its wording."""
