"""Asking another machine: consent first, then bounded requests."""
