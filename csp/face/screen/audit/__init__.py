"""The audit page: artefacts, numbers, log and report."""
