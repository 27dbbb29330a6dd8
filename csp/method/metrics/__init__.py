"""How good labels are, and what neurons are like without any."""
