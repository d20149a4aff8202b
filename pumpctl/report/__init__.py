"""Files and pictures made of values: for the moment, logs in three formats.

Floor 6. It knows no options; libraries that are rarely needed are extras.
"""
