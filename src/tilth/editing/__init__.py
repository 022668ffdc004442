"""Change: operators that propose edits; only the loop applies them."""
