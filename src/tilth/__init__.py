"""tilth: improve a model by improving its data, and show whether it did."""
