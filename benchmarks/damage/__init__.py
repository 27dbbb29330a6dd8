"""What `benchmarks/faults.py` does to records and runs, and how it sees what became of it."""
