"""Shared parts of the pages: what they draw and say. Numbers come from `csp.work.explorer.explorer` only."""
