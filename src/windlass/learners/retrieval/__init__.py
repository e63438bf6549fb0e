"""Learners whose answers are found rather than written: copied, pointed at, retrieved, repaired, asked elsewhere."""
