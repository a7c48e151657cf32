"""One-line changes that would let something pass unseen; each must turn a named test red."""
