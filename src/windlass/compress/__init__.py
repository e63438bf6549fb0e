"""Smaller and faster copies of a candidate: made here, proven to answer like it, and measured by `evaluate`."""
