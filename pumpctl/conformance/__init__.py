"""Does a device keep the duties of a pump? Tests with names, run over any line.

It stands beside `workflows/` and knows only what a line tells: there may be no
emulator behind it. It changes therapy on the device, and so it speaks to a pump
in bench mode only.
"""
