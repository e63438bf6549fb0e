"""Whole files and jobs, a chunk at a time."""
