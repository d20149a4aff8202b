"""The command line: read options, call one workflow, render its value.

Floor 7. The only place that knows typer. How anything is done is known below.
"""
