"""What a clinician means: programs, profiles, checks, forecasts, the pump as seen.

Floor 1. Pure functions on values: nothing here knows a wire, a pump's answer,
a file, a clock on the wall or a terminal. Every number is an integer of a fixed
quantum or an exact fraction; one rounding, at the end, in a stated direction.
"""
