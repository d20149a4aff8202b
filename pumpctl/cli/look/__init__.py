"""Commands that look: status, log, alarms, MRI, emergency cards."""
