"""Whole pages and their sections, self-contained, without a script."""
