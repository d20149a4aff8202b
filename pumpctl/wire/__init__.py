"""The protocol between station and pump, sans-IO: bytes in, events out.

Floor 1. Nothing here opens a port, reads a clock, draws a random number or
prints; whoever uses it hands in bytes and entropy. Both ends of the line are
built from this package and share nothing else. `docs/protocol.md` is normative.
"""
