"""The rolling digest of a run."""

import tracemalloc

from pulse_sim.kernel import Checkpoint, Trace


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


def test_parts_of_an_event_cannot_run_into_each_other() -> None:
    assert _of(("a", "b c", b"")) != _of(("a b", "c", b""))


def test_time_and_task_are_part_of_an_event() -> None:
    digests = set()
    for at_ns, number in ((0, 0), (1, 0), (0, 1)):
        trace = Trace()
        trace.bind(lambda at_ns=at_ns: at_ns, lambda number=number: number)  # type: ignore[misc]
        trace.event("k", "s", b"")
        digests.add(trace.digest())
    assert len(digests) == 3


def test_every_thousand_events_there_is_a_checkpoint() -> None:
    seen: list[Checkpoint] = []
    trace = Trace(on_checkpoint=seen.append)
    for _ in range(3_500):
        trace.event("k", "s", b"")
    assert [point.events for point in seen] == [1_000, 2_000, 3_000] == [point.events for point in trace.checkpoints]
    assert len({point.digest for point in seen}) == 3


def test_a_stopped_trace_takes_no_more() -> None:
    trace = Trace()
    before = trace.digest()
    trace.stop()
    trace.event("k", "s", b"")
    assert (trace.digest(), trace.events) == (before, 0)


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
