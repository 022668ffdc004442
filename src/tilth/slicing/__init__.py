"""Slicing: groups of rows on which the model does worse, and what they have in common."""
