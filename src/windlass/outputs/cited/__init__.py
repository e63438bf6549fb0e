"""Answers out of documents, each sentence with where it stands."""
