"""Says at the end of a test run when a committed measurement is older than what it measured."""

import json

import pytest

from tests import nightly


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for a measurement that no longer describes the tree."""
    if not nightly.FILE.is_file():
        return
    commit = json.loads(nightly.FILE.read_bytes())["commit"]
    changed = nightly.git("diff", "--name-only", commit, "--", *nightly.MEASURED).splitlines()
    if changed:
        name = nightly.FILE.relative_to(nightly.ROOT)
        terminalreporter.write_line(f"{name} is older than what it measured: {len(changed)} files changed since")
