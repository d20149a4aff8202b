"""`link ping|capture|decode|replay`: the line itself."""
