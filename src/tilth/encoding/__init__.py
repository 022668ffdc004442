"""See: turn the cells of one column into numbers, with a state that is fitted on train rows once."""
