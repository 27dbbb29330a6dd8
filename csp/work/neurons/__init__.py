"""Questions over all neurons: table, map, search, queues, comparison, export."""
