"""The audit report: one HTML file that opens offline, prints well, and holds all that an auditor needs."""
