"""What is read of retrieved passages: the best sentence, and whether an answer is supported by what it cites."""
