"""Shipped checks and toys: what every kind, learner and blueprint must keep."""
