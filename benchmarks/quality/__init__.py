"""What comes out: scores, gains, verdicts."""
