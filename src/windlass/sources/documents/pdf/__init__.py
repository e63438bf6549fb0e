"""PDF files: what a person sees of each page, in reading order, with its tables."""
