"""What the service remembers, in SQLite or PostgreSQL: log, feedback, keys, jobs, preferences. Knows no route."""
