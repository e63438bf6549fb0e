"""Learners of what comes next in series; those that need no torch, and the networks."""
