"""What a run's numbers would be where there is nothing to find, and whether its encoder sees anything."""
