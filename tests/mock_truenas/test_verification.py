"""Questions over a journal are answered with what was expected, what happened, and the entries that show it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.journal import Journal, JournalEntry
from mock_truenas.matching import Matching
from mock_truenas.verification import NotAsExpected, Verification

SECOND_NS = 1_000_000_000
KEY = "3-" + "abcDEF78" * 8


def entry(path: str = "/api/v2.0/pool", at_s: float = 0.0, **fields: object) -> JournalEntry:
    plain: dict[str, object] = {
        "method": "GET",
        "path": path,
        "query": "",
        "status": 200,
        "duration_ns": 1_000_000,
        "bytes": 2,
        "ended": "complete",
        "faults": (),
        "credential": "0123456789ab",
        "user_agent": "test",
        "at_ns": round(at_s * SECOND_NS),
    }
    return JournalEntry(**{**plain, **fields})  # type: ignore[arg-type]


def call(name: str, at_s: float = 0.0, **fields: object) -> JournalEntry:
    plain: dict[str, object] = {"face": "rpc", "kind": "call", "call": name, "status": None, "connection": 1}
    return entry("/api/current", at_s, **{**plain, "user": "root", **fields})


def test_requests_are_those_that_meet_every_criterion() -> None:
    entries = [entry(), entry("/api/v2.0/disk", 1, status=502, faults=("gateway",)), call("pool.query", 2)]
    asked = Verification(entries)
    assert asked.requests() == tuple(entries)
    assert asked.requests(path="/pool") == asked.requests(path="/api/v2.0/pool") == (entries[0],)
    assert asked.requests(status=(502, 504), fault="gateway") == (entries[1],)
    assert asked.requests(call="pool.*", face="rpc", user="root") == (entries[2],)
    assert asked.requests(between=(SECOND_NS, 2 * SECOND_NS)) == (entries[1],)
    assert asked.requests(call="pool.*", face="rest") == ()


def test_events_and_closes_are_no_requests_unless_asked_for() -> None:
    entries = [entry(kind="handshake"), call("x", kind="event"), call("y", kind="close")]
    assert Verification(entries).requests() == (entries[0],)
    assert Verification(entries).requests(kind="close") == (entries[2],)


def test_sixty_seconds_are_half_open() -> None:
    steady = [entry(at_s=second) for second in range(0, 120, 2)]
    asked = Verification(steady)
    assert asked.at_most_per_minute(30)
    found = asked.at_most_per_minute(29)
    assert not found
    assert found.observed == "30 times in the busiest minute"
    assert len(found.evidence) == 30


@given(st.lists(st.integers(0, 200), max_size=40), st.integers(0, 12))
def test_busiest_minute_is_what_counting_every_minute_finds(seconds: list[int], limit: int) -> None:
    busiest = max((sum(start <= other < start + 60 for other in seconds) for start in seconds), default=0)
    found = Verification([entry(at_s=second) for second in seconds]).at_most_per_minute(limit)
    assert found.holds is (busiest <= limit)


def test_logins_that_were_refused_do_not_count() -> None:
    tried = [
        call("auth.login_ex", 0),
        call("auth.login_with_api_key", 1, user=None),
        call("auth.login_ex", 2, error=16),
    ]
    asked = Verification(tried)
    assert asked.logged_in_exactly(1)
    found = asked.logged_in_exactly(2)
    assert (found.holds, found.observed, found.nearest) == (False, "once, 2 refused", tuple(tried[1:]))


def test_order_is_that_of_beginning_and_lets_others_lie_between() -> None:
    slow = call("auth.login_ex", 0, duration_ns=5 * SECOND_NS)
    asked = Verification([call("core.ping", 1), call("pool.query", 2), slow])
    assert asked.called_in_order("auth.*", "pool.query")
    found = asked.called_in_order("pool.query", "auth.*")
    assert not found
    assert found.observed == "pool.query; auth.* did not follow"
    assert found.nearest == (slow,)


def test_open_connections_are_counted_at_the_same_time() -> None:
    opened = [entry("/api/current", kind="handshake", connection=number, status=101) for number in (1, 2, 3)]
    closed = [entry("/api/current", kind="close", connection=number) for number in (1, 2, 3)]
    one_by_one = [each for pair in zip(opened, closed, strict=True) for each in pair]
    assert Verification(one_by_one).no_more_than_open_connections(1)
    found = Verification([*opened, *closed]).no_more_than_open_connections(2)
    assert (found.holds, found.evidence) == (False, tuple(opened))


def test_nearest_misses_are_told_when_nothing_matches() -> None:
    near, far = call("pool.query", user="ops"), entry()
    found = Verification([near, far]).called(call="pool.query", user="root")
    assert (found.holds, found.nearest) == (False, (near,))
    assert found.message().splitlines()[:3] == [
        "expected call pool.query, user root at least once",
        "observed never",
        "nearest:",
    ]


def test_what_holds_passes_and_what_does_not_raises_its_message() -> None:
    asked = Verification([entry()])
    asked.called(path="/pool", exactly=1).check()
    with pytest.raises(NotAsExpected, match="expected path /pool never\nobserved once\nentries:\n  00:00:00"):
        asked.never_called(path="/pool").check()
    with pytest.raises(ValueError, match="exactly goes with neither"):
        asked.called(exactly=1, at_least=1)
    with pytest.raises(TypeError):
        Matching(colour="blue")  # type: ignore[call-arg]


def test_silence_proves_nothing_once_entries_are_gone() -> None:
    journal = Journal(at_most=2)
    for _ in range(3):
        journal(entry())
    asked = Verification(journal.entries, journal.dropped)
    assert asked.called(at_least=2)
    for found in (
        asked.never_called(path="/disk"),
        asked.at_most_per_minute(30),
        asked.logged_in_exactly(0),
        asked.no_more_than_open_connections(1),
    ):
        assert not found
        assert found.observed.endswith("and 1 earlier entries were let go of")


def test_journal_numbers_its_entries_and_keeps_the_latest() -> None:
    journal = Journal(at_most=3)
    entries = [entry(at_s=second) for second in range(5)]
    for each in entries:
        journal(each)
    assert (journal.count, journal.dropped, journal.entries) == (5, 2, tuple(entries[2:]))
    assert journal.since(4) == (entries[4],)
    assert journal.since(0) == tuple(entries[2:])
    assert journal.since(9) == ()
    journal.clear()
    assert (journal.count, journal.dropped, journal.entries) == (0, 0, ())


def test_a_key_in_a_path_does_not_get_into_a_message() -> None:
    found = Verification([entry(f"/api/v2.0/pool/{KEY}")]).never_called(path="*")
    assert "<key>" in found.message()
    assert KEY not in found.message()


def test_findings_are_plain_data_for_programs() -> None:
    told = Verification([entry()]).never_called(path="/pool").to_data()
    assert (told["holds"], told["expected"], told["observed"]) == (False, "path /pool never", "once")
    assert told["evidence"][0]["path"] == "/api/v2.0/pool"
