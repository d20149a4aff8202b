"""How a pump starts: what a power cut left, what stands in for lost memory, the self-tests."""
