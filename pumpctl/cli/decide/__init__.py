"""Commands that decide and send nothing: titrate, trial."""
