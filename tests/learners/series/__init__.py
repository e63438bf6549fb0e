"""Tests of what learns to foresee series."""
