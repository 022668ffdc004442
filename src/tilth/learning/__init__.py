"""Fit: commodity learners, out-of-sample predictions, and the one choice among them."""
