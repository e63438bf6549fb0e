"""How much, with an interval."""
