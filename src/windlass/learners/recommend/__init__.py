"""Learners of what somebody may want next, from what everybody did."""
