"""What trains the reading of passages: the ranker of sentences, and the model of support with what it learns from."""
