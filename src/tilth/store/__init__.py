"""Keep: versions, edits, annotations and evidence, in Lance tables under one commit log."""
