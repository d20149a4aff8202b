"""Commands that change therapy, and how they are confirmed."""
