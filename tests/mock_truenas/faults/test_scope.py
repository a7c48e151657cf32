"""Which requests, handshakes, calls and events a fault meets, and how it counts them."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS, Stage
from mock_truenas.faults.active import ActiveFaults, by_name
from mock_truenas.faults.target import Target

PAGE = Target("front", "GET", "/ui/")
REQUEST = Target("rest", "GET", "/nothing")
REST_CALL = Target("rest", "GET", "/pool", "pool.query")
HANDSHAKE = Target("rpc", "GET", "/api/current", connection=1)
CALL = Target("rpc", path="/api/current", call="pool.query", connection=1)
OLD_CALL = Target("ddp", path="/websocket", call="pool.query", connection=2)
EVENT = Target("rpc", path="/api/current", event="pool.query", connection=1)
ALL = {
    "page": PAGE,
    "request": REQUEST,
    "rest call": REST_CALL,
    "handshake": HANDSHAKE,
    "call": CALL,
    "old call": OLD_CALL,
    "event": EVENT,
}


def active(kind: str, stream: random.Random | None = None, **parameters: Any) -> ActiveFaults:
    faults = ActiveFaults((lambda _: stream) if stream is not None else by_name)
    faults.inject("f", kind, FAULT_KINDS[kind].parameters.model_validate(parameters))
    return faults


def met(faults: ActiveFaults, target: Target) -> bool:
    found = faults.met_by(target)
    return any(found.at(stage) for stage in Stage)


def met_by(kind: str, **parameters: Any) -> set[str]:
    """What of everything a fresh fault of the kind meets."""
    return {name for name, target in ALL.items() if met(active(kind, **parameters), target)}


def test_faults_of_http_meet_requests_and_handshakes() -> None:
    assert met_by("http.silence") == {"request", "rest call", "handshake"}


def test_faults_of_calls_meet_them_on_every_face() -> None:
    assert met_by("rpc.error") == {"rest call", "call", "old call"}


def test_faults_of_messages_meet_the_calls_of_sockets_only() -> None:
    assert met_by("rpc.wrong_id") == {"call", "old call"}
    assert met_by("rpc.cut_frame") == {"call", "old call", "event"}


def test_faults_of_events_meet_nothing_else() -> None:
    assert met_by("rpc.burst") == {"event"}


def test_the_redirect_meets_pages_of_the_front_too() -> None:
    assert met_by("front.redirect_https") == {"page", "request", "rest call", "handshake"}


def test_whoever_sleeps_says_nothing_anywhere() -> None:
    assert met_by("appliance.asleep") == set(ALL)


def test_a_fault_of_state_is_met_by_the_calls_that_show_it() -> None:
    assert met_by("pool.exported") == {"rest call", "call", "old call"}
    assert met_by("disk.no_temperature") == set()


def test_a_face_a_connection_a_path_and_a_verb_narrow_it() -> None:
    assert met_by("rpc.silence", face="ddp") == {"old call"}
    assert met_by("rpc.wrong_id", face="rest") == set()
    assert met_by("rpc.silence", connection=1) == {"call"}
    assert met_by("http.silence", path="/api/*") == {"handshake"}
    assert met_by("http.silence", call="pool.*") == {"rest call"}
    assert met_by("http.silence", method="POST") == set()


def test_several_globs_of_methods_are_separated_by_bars() -> None:
    assert met_by("rpc.silence", call="disk.*|pool.query", face="rest") == {"rest call"}
    assert met_by("rpc.silence", call="disk.*|pool", face="rest") == set()


def test_a_role_spares_what_it_allows() -> None:
    assert met_by("auth.role", allows="disk.*|pool.*") == set()
    assert met_by("auth.role", allows="disk.*") == {"rest call", "call", "old call"}


@given(st.integers(0, 5), st.integers(1, 4), st.none() | st.integers(1, 4), st.integers(0, 30))
def test_skip_every_and_first_count_what_matches(skip: int, every: int, first: int | None, asked: int) -> None:
    faults = active("rpc.silence", skip=skip, every=every, first=first)
    struck = []
    for number in range(asked):
        assert not met(faults, PAGE)  # does not match, so it does not count
        if met(faults, CALL):
            struck.append(number)
    assert struck == list(range(skip, asked, every))[:first]


@given(st.integers(), st.floats(0.01, 1.0))
def test_the_share_that_is_struck_follows_from_the_seed(seed: int, probability: float) -> None:
    expected = random.Random(seed)
    faults = active("rpc.silence", random.Random(seed), probability=probability)
    seen = [met(faults, CALL) for _ in range(20)]
    assert seen == [probability == 1.0 or expected.random() < probability for _ in range(20)]


def test_without_a_stream_the_draws_follow_from_the_name_of_the_fault() -> None:
    first, again = (active("rpc.silence", probability=0.5) for _ in range(2))
    seen = [met(first, CALL) for _ in range(50)]
    assert seen == [met(again, CALL) for _ in range(50)]
    assert {True, False} == set(seen)
