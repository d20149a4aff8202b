"""Commands for the drug library."""
