"""Passages of documents: found for a question, read, and cited."""
