"""Forecasts: what comes in each of the next steps of a series."""
