"""The front door for scripts and notebooks: what `import csp` gives, over the same explorer as the pages."""
