"""How tracers of knowledge are learned from attempts."""
