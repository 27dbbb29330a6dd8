"""The review page: queues, progress, agreement, exchange of files."""
