"""Pure functions that several outputs share: shares and intervals, numbers, texts, drift."""
