"""The compare page: two neurons, methods, contrasts or runs."""
