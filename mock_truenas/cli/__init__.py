"""``mock-truenas``: the commands for people. Complaints are one line, and each NAS that serves tells where, in JSON."""

from mock_truenas.cli.program import commands, main
from mock_truenas.cli.serving import serve

__all__ = ["commands", "main", "serve"]
