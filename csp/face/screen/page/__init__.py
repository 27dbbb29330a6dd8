"""What frames every page: navigation, keys, identity, the server."""
