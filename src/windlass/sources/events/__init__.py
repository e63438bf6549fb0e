"""Logs of events as histories, and the table of the items that they are about."""
