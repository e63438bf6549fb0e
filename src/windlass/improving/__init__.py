"""From corrections to a better champion: whose feedback is believed, challengers, verdicts, rollback."""
