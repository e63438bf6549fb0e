"""Engines that write: decoding, prompts, grammars, tokens."""
