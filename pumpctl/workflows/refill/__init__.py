"""A refill: told by a file or step by step, measured, judged, done once."""
