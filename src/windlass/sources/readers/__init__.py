"""One file a format: CSV and text, spreadsheets, JSON, conversations, archives; their encodings and grids."""
