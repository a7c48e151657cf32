"""What holds for the whole suite: no example has a deadline, hostile text reaches no worker's wire, and a stale
measurement is told at the end.
"""

from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.nightly.table import MEASUREMENTS

# A deadline measures the machine: a busy one, or development mode, would fail examples that are right.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A captured log may hold half a character, put there on purpose; sent as it is, it kills a parallel worker."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each measurement that no longer describes the tree."""
    for measurement in MEASUREMENTS:
        if not measurement.file.is_file():
            continue
        changed = measurement.changed_since(measurement.committed()["commit"])
        if changed:
            terminalreporter.write_line(
                f"docs/measurements/{measurement.file.name} is older than what it measured: "
                f"{len(changed)} files changed since"
            )
