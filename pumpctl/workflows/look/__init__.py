"""Looking at a pump, and keeping what was seen. Nothing here changes one."""
