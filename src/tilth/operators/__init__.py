"""Verbs: what a plug-in is, what it may read, and how it is found."""
