"""The other side of the wire: firmware that stands in for an implanted pump.

It shares the wire format and the vocabulary of floor 0 with the station, and
nothing else: every dose and every limit is computed here by its own integer
arithmetic, so that two independent calculations meet at read-back. It could be
thrown away for real firmware. Clock and entropy are handed in.
"""
