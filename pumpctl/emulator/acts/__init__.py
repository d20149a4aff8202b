"""What the line can ask of the pump: one handler for each message, and the pump's own verdict."""
