"""The conductor: reads the project file, supplies what operators need, tries edits and keeps what helps."""
