"""The runs page: cards of runs, forms that start jobs, the list of jobs."""
