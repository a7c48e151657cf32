"""Outcomes, gates and packets folded into a verdict; pure."""
