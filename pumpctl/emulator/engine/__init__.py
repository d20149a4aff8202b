"""What times and meters: the clock, schedules, the motor, delivery, alarms; exact integers."""
