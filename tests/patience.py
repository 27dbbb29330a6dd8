"""How long a test waits for what should come soon: only a failing test waits for so long."""

SECONDS = 180
