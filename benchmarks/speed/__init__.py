"""How fast it is: CPU seconds beside a plain reference in the same process."""
