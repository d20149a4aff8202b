"""The kinds of change that walk the one road; each is a file here, and a message pair.

`act` says what the road needs to know of any; `registry` finds the kind of a plan
file. An act says what the checks have to say, how it is staged and what the pump
must answer. It never activates.
"""
