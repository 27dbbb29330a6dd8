"""The page of all neurons: table, cards, map, and the classes page."""
