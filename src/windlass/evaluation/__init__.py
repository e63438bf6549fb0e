"""Which candidate is taken and whether it may be released: choice, gate, judges. Knows no store and no page."""
