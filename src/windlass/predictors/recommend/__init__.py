"""Ranked lists of items from a history, by numpy alone."""
