"""What this station keeps: keys, journal, plans, records.

Floor 4. It knows files and databases, and neither the wire nor the pump.
"""
