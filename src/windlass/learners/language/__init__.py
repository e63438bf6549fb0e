"""Learners that write: language models from scratch or fine-tuned, sequence to sequence, counts."""
