"""URL schemes that pyserial learns from this project: `emu://NAME`."""
