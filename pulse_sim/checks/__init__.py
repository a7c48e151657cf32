"""Pure functions over an observation log."""
