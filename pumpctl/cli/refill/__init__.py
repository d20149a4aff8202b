"""The refill, from a file or step by step, and the bridge's repair."""
