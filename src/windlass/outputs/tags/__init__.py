"""Tags: an answer is a set of names, each with a probability of its own."""
