"""What the pump keeps: flash, its pages and what lies in them, and the always-on domain."""
