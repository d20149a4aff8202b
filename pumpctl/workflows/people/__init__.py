"""Who may act at this station and on its pumps."""
