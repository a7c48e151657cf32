"""The kinds of faults by seam, as data."""
