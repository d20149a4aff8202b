"""Where the pump meets the computer: its folder, its lines, its control socket, its inspection."""
