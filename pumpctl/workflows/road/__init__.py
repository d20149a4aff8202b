"""The one road of every change of therapy, and the two short ways beside it."""
