"""Patient stories that are played on a built-in pump."""
