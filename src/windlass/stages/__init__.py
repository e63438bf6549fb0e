"""One thin file a stage of the product's life; stages meet in records and never import each other."""
