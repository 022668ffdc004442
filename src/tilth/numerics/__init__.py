"""Mathematics on arrays that several rooms share."""
