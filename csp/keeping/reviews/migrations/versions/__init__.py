"""One file a migration. A migration that was released never changes; a new one is added."""
