"""Learners without torch, on arrays: linear and ridge, trees, baselines, the blend."""
