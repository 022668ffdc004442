"""Find: what is wrong with rows, columns and files."""
