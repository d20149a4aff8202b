"""An MRI visit: the state before, and two looks afterwards."""
