"""Releases and what proves them: the champion, the audit log, trials, cards, checkpoints, references."""
