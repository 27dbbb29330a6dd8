"""What each kind of adapter must offer, and how one is opened from a spec."""
