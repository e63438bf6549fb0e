"""What `windlass init` takes data for: the record, series, windows, the output, its goal."""
