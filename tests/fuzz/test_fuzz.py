"""Generated requests and messages: nothing breaks that nobody asked to break. A hundredth of what is run at night."""

import logging
from collections.abc import Iterator

import pytest

from mock_truenas.testing import Servers
from tests.fuzz import frames, plans
from tests.fuzz.messages import Face
from tests.nightly.issue_4 import MESSAGES

FEW_OPERATIONS = 8
FEW_MESSAGES = 20


def test_the_sample_is_a_hundredth_at_least() -> None:
    assert FEW_MESSAGES * len(plans.FACES) >= MESSAGES / 100


@pytest.fixture(autouse=True)
def _silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No exception reached a log: not the mock's, not the loop's."""
    with caplog.at_level(logging.ERROR):
        yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """One thread for all NAS of this module."""
    with Servers() as made:
        yield made


@pytest.mark.parametrize("release", ["24.04", "24.10", "25.04", "25.10"])
def test_requests_from_the_openapi_document_never_break_rest(servers: Servers, release: str) -> None:
    outcome = plans.rest(servers.make(release=release), FEW_OPERATIONS, examples=2)
    assert outcome.faults == []
    assert outcome.requests >= FEW_OPERATIONS


def test_requests_from_the_openapi_document_never_break_the_control_api() -> None:
    outcome = plans.control(FEW_OPERATIONS, examples=2)
    assert outcome.faults == []
    assert outcome.requests >= FEW_OPERATIONS


@pytest.mark.parametrize(("release", "face"), plans.FACES)
def test_generated_messages_are_met_as_the_appliance_meets_them(servers: Servers, release: str, face: Face) -> None:
    outcome = frames.tried(servers.make(release=release), face, FEW_MESSAGES)
    assert outcome.faults == []


def test_a_broken_answer_is_noticed(servers: Servers) -> None:
    nas = servers.make(release="25.10")
    with nas.inject("http.status", status=503, skip=1):
        assert plans.rest(nas, 2, examples=1).faults != []
    with nas.inject("rpc.duplicate"):
        assert frames.tried(nas, "rpc", 50).faults != []
