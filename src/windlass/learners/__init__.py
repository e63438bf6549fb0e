"""What learns: one table, and the families below it. torch lives here alone."""
