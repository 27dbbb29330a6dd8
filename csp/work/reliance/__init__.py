"""What the classifier leans on: concepts, and what its answers become without their neurons."""
