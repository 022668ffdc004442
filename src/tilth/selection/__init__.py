"""Choose: operators that pick rows within a budget."""
