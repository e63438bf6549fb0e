"""What a column can hold: how a value is checked, read, encoded, shown, and remembered without being kept. No torch."""
