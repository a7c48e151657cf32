"""Mutation testing of what judges: mutmut over checks, verdict and evidence, in a copy of the tree."""
