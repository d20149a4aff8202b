"""Commands for built-in pumps."""
