"""Ranked lists of items: what somebody may want next, out of what everybody did."""
