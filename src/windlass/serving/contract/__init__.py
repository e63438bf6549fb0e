"""What requests and answers look like: JSON, faults, rows, schemas, the table of routes."""
