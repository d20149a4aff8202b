"""Commands for dose profiles, and how programs are written out."""
