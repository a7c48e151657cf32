"""The HTTP API of the stack (contract A9)."""
