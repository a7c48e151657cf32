"""The rolling digest of a run."""

import ast
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pulse_sim import kernel
from pulse_sim.kernel import Checkpoint, Trace
from pulse_sim.kernel.trace import EVENT_KINDS

PACKAGE = Path(kernel.__file__).parents[1]
EVENTS = st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4), st.binary(max_size=4)), max_size=6)


def _of(*events: tuple[str, str, bytes]) -> str:
    trace = Trace()
    for event in events:
        trace.event(*event)
    return trace.digest()


def test_a_digest_is_sixty_four_hex_digits_and_depends_on_every_part_of_every_event() -> None:
    base = _of(("data", "a>b", b"x"), ("fin", "a>b", b""))
    others = [
        _of(),
        _of(("data", "a>b", b"x")),
        _of(("fin", "a>b", b""), ("data", "a>b", b"x")),
        _of(("data", "a>b", b"y"), ("fin", "a>b", b"")),
        _of(("data", "a>c", b"x"), ("fin", "a>b", b"")),
        _of(("date", "a>b", b"x"), ("fin", "a>b", b"")),
    ]
    assert len({base, *others}) == 7
    assert len(bytes.fromhex(base)) == 32
    assert base == _of(("data", "a>b", b"x"), ("fin", "a>b", b""))


@given(EVENTS, EVENTS)
def test_two_streams_of_events_have_one_digest_only_if_they_are_equal(
    one: list[tuple[str, str, bytes]], other: list[tuple[str, str, bytes]]
) -> None:
    assert (_of(*one) == _of(*other)) == (one == other)


def test_parts_of_an_event_and_events_cannot_run_into_each_other() -> None:
    assert _of(("a", "b c", b"")) != _of(("a b", "c", b""))
    assert _of(("a", "b", b"c")) != _of(("a", "bc", b""))
    assert _of(("a", "", b"b"), ("c", "", b"")) != _of(("a", "", b""), ("bc", "", b""))


def test_time_and_task_are_part_of_an_event() -> None:
    digests = set()
    for at_ns, number in ((0, 0), (1, 0), (0, 1)):
        trace = Trace()
        trace.bind(lambda at_ns=at_ns: at_ns, lambda number=number: number)  # type: ignore[misc]
        trace.event("k", "s", b"")
        digests.add(trace.digest())
    assert len(digests) == 3


def test_half_a_character_in_a_subject_is_an_event_like_any_other() -> None:
    assert _of(("k", "\ud800", b"")) != _of(("k", "\ud801", b""))


def test_when_the_digest_is_asked_for_and_how_large_payloads_are_never_shows_in_it() -> None:
    asked, unasked = Trace(), Trace()
    for number in range(2_345):
        payload = b"x" * (20_000 if number % 77 == 0 else 5)
        for trace in (asked, unasked):
            trace.event("k", "s", payload)
        asked.digest()
    assert asked.digest() == unasked.digest()


def test_every_thousand_events_there_is_a_checkpoint_with_the_digest_so_far() -> None:
    seen: list[Checkpoint] = []
    trace = Trace(on_checkpoint=seen.append)
    digests = {}
    for number in range(1, 3_501):
        trace.event("k", "s", b"")
        if number % 1_000 == 0:
            digests[number] = trace.digest()
    assert {point.events: point.digest for point in seen} == digests
    assert len(set(digests.values())) == 3


def _finished(events: int, header: bytes) -> tuple[list[Checkpoint], str]:
    seen: list[Checkpoint] = []
    trace = Trace(on_checkpoint=seen.append)
    now = iter(range(events))
    trace.bind(lambda: next(now), int)
    for _ in range(events):
        trace.event("k", "s", b"")
    trace.stop()
    return seen, trace.finish(header)


def test_the_header_ends_the_chain_so_only_the_last_checkpoint_depends_on_it() -> None:
    for events, marks in (
        (2_500, [1_000, 2_000, 2_500, 2_501]),
        (2_000, [1_000, 2_000, 2_001]),
        (1_999, [1_000, 1_999, 2_000]),
        (7, [7, 8]),
    ):
        one, one_digest = _finished(events, b"seed 1")
        other, other_digest = _finished(events, b"seed 2")
        assert [point.events for point in one] == marks
        assert one[:-1] == other[:-1]
        assert (one[-1].digest, other[-1].digest) == (one_digest, other_digest)
        assert one_digest != other_digest
        assert one[-1].at_ns == one[-2].at_ns == events - 1


def test_a_stopped_trace_takes_no_more() -> None:
    trace = Trace()
    before = trace.digest()
    trace.stop()
    trace.event("k", "s", b"")
    assert (trace.digest(), trace.events) == (before, 0)


def test_a_finished_trace_takes_no_more() -> None:
    trace = Trace()
    digest = trace.finish(b"header")
    trace.event("k", "s", b"")
    assert (trace.digest(), trace.events) == (digest, 1)


def test_memory_is_flat_however_many_events() -> None:
    trace = Trace()

    def grow(count: int) -> int:
        for _ in range(count):
            trace.event("data", "pulse:40000>nas-1:443", b"payload")
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = grow(5_000)
        assert grow(50_000) - first < 50_000
    finally:
        tracemalloc.stop()


def test_large_payloads_are_not_kept() -> None:
    trace = Trace()
    tracemalloc.start()
    try:
        for _ in range(39):
            trace.event("data", "s", bytes(1_000_000))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


def _kinds_in_source() -> Iterator[str]:
    """What the kernel passes to its trace as a kind: literals, and the values of the table of segment kinds."""
    for file in sorted((PACKAGE / "kernel").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) == 3 and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in ("watch", "_watch", "event") and file.name != "disk.py":
                    yield str(node.args[0].value)
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_KIND_NAMES":
                assert isinstance(node.value, ast.Dict)
                yield from (str(value.value) for value in node.value.values if isinstance(value, ast.Constant))


def test_the_kinds_of_events_are_exactly_those_of_the_table() -> None:
    assert set(_kinds_in_source()) == set(EVENT_KINDS)
