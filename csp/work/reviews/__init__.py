"""What people decided: the desk that records it, labels in force, agreement, the audit."""
