"""Monitoring: new rows against those that a model learnt from; what it scores where nobody has labels."""
