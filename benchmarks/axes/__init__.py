"""The axes of the benchmark, one module each; `registry` names them in order."""
