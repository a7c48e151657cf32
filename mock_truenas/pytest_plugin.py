"""pytest fixtures ``mock_truenas`` and ``make_mock_truenas``. Loads nothing of the mock before a test asks for it."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from mock_truenas.testing import ServedNas, Servers

_SERVERS: "Final[pytest.StashKey[Servers]]" = pytest.StashKey()
_SHOWN: Final = 40


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers", "mock_truenas(release=, fixture=, tls=, …): what the NAS of the fixture mock_truenas is to be"
    )


@pytest.fixture
def make_mock_truenas(request: pytest.FixtureRequest) -> "Generator[Callable[..., ServedNas], None, None]":
    """A function that serves a NAS until the test ends: release, fixture, tls, behaviour, seed, hostname, at, capture,
    port, as ``mock_truenas.testing.Servers.make`` has them.
    """
    from mock_truenas.testing import Servers

    with Servers() as servers:
        request.node.stash[_SERVERS] = servers
        yield servers.make


@pytest.fixture
def mock_truenas(request: pytest.FixtureRequest, make_mock_truenas: "Callable[..., ServedNas]") -> "ServedNas":
    """A TrueNAS 25.10 on a free loopback port; the mark ``mock_truenas(release="24.10", tls=True)`` makes another."""
    marks: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("mock_truenas"))):
        if mark.args:
            raise pytest.UsageError("the mark mock_truenas takes named arguments only, such as release='24.10'")
        marks |= mark.kwargs
    return make_mock_truenas(**marks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows what its NAS were asked last."""
    report = yield
    servers = item.stash.get(_SERVERS, None)
    if servers is not None and report.when == "call" and report.failed:
        from mock_truenas.testing import told

        for served in servers.served:
            entries = served.journal[-_SHOWN:]
            report.sections.append((f"{served.name} was asked", told(entries) or "nothing"))
    return report
