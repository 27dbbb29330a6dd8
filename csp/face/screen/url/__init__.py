"""What the address of a page says, and how the page follows it."""
