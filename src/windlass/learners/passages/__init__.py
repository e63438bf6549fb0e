"""Trains what finds passages and refuses questions: vectors, rankers, refusals."""
