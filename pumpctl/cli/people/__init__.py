"""Commands for pairing and operators."""
