"""Written answers, of which several may be right."""
