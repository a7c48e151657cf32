"""Alerts of the stack: rules, their evaluation, what is active, what was, and who is told (contract A10)."""
