"""What holds for the whole suite: hostile text reaches no worker's wire, and a stale measurement is told at the end."""

import json
from collections.abc import Generator

import pytest

from tests import nightly


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A captured log may hold half a character, put there on purpose; sent as it is, it kills a parallel worker."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for a measurement that no longer describes the tree."""
    if not nightly.FILE.is_file():
        return
    commit = json.loads(nightly.FILE.read_bytes())["commit"]
    changed = nightly.git("diff", "--name-only", commit, "--", *nightly.MEASURED).splitlines()
    if changed:
        name = nightly.FILE.relative_to(nightly.ROOT)
        terminalreporter.write_line(f"{name} is older than what it measured: {len(changed)} files changed since")
