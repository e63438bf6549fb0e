"""Documents as a source: files that people write for people, as passages that can be cited to the letter."""
