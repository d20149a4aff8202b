"""A pump as the station sees it: typed methods, values of the therapy floor in and out.

Floor 4. It knows messages and therapy, and neither files nor terminals.
"""
