"""Engines that find an answer: excerpts, nearest rows, spans, repairs."""
