"""Bundles: what a run or a verdict leaves on disk."""
