"""Words, numbers and tables for terminals, cards and roadmaps, in English and Chinese."""
