"""Judge: metrics as row scores, so that two models compare row by row; those that are no mean of rows, linearised."""
