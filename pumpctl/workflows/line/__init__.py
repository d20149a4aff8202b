"""The line itself: how good it is, what passed on it, and the same said once more."""
