"""What holds for the whole suite: no example has a deadline, hostile text reaches no worker's wire, bundles are signed
with a key of the tests and never with that of who runs them, and a stale measurement is told at the end.
"""

import tempfile
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.nightly.table import MEASUREMENTS

# A deadline measures the machine: a busy one, or development mode, would fail examples that are right.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


SIGNING_KEY_VARIABLE = "PULSE_SIM_SIGNING_KEY_FILE"


def pytest_configure(config: pytest.Config) -> None:
    """The key of the tests: the same in every process, made without loading anything of the project."""
    if hasattr(config, "workerinput"):  # a parallel worker has it from the process that started it
        return
    directory = tempfile.TemporaryDirectory(prefix="pulse-sim-tests-")
    config.add_cleanup(directory.cleanup)
    file = Path(directory.name) / "signing-key.pem"
    file.touch(mode=0o600)
    pkcs8 = bytes.fromhex("302e020100300506032b657004220420") + bytes(range(32))
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{b64encode(pkcs8).decode()}\n-----END PRIVATE KEY-----\n", "ascii")
    environment = pytest.MonkeyPatch()
    config.add_cleanup(environment.undo)
    environment.setenv(SIGNING_KEY_VARIABLE, str(file))


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
