"""Labels that a vision-language model proposes: asking, keeping, scoring."""
