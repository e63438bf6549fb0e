"""Learners that find passages for a question and read them."""
