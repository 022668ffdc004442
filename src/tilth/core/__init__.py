"""Nouns: the frozen values in which every room speaks."""
