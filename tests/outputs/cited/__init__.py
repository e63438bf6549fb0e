"""Cited answers."""
