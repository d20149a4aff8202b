"""Lines to pumps: serial ports by URL, the built-in emulator, locks, captures.

Floor 2. It moves bytes and tells port errors apart; it knows no messages.
"""
