"""The same architecture with other weights: neurons switched off in them, or all drawn anew."""
