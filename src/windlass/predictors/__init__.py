"""What answers from an artifact, without torch wherever that is possible: one table of formats."""
