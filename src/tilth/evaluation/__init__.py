"""Judge: metrics as row scores, so that two models compare row by row."""
