"""Use cases: what a clinic does with a pump, each from start to end.

Floor 5. They return values and raise errors; they know no options, no colours.
"""
