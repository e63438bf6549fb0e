"""A document is forgotten: out of the store, the log and every release, with proof."""
