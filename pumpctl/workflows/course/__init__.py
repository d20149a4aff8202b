"""What ran when, and what was given: from the pump's log and this station's journal."""
