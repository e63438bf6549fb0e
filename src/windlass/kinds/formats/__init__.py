"""How values are written: numbers, days and tags by an example, texts in one form."""
