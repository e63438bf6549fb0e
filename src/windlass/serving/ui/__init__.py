"""Pages that people use, and their assets."""
