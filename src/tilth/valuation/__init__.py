"""Weigh: what each row is worth."""
