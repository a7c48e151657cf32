"""Each toxic alone: no byte lost, order kept, and instants, sizes and limits exact."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.kernel.endpoint import DATA, FIN
from pulse_sim.kernel.toxics import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic
from pulse_sim.kernel.toxics_closing import ABORT, CLOSE, stage_of
from pulse_sim.kernel.toxics_stages import Stage

MS = 1_000_000
US = 1_000
CHUNK = 32_768

Out = list[tuple[int, int, bytes]]

_PACING = st.one_of(
    st.builds(Latency, st.integers(0, 50), st.integers(0, 50)),
    st.builds(Bandwidth, st.integers(1, 500)),
    st.builds(SlowClose, st.integers(0, 50)),
    st.integers(1, 4_000).flatmap(
        lambda size: st.builds(Slicer, st.just(size), st.integers(0, size - 1), st.integers(0, 3_000))
    ),
)
_CHUNKS = st.lists(st.tuples(st.integers(0, 40 * MS), st.integers(1, CHUNK)), max_size=12)


def _until_idle(stage: Stage, from_ns: int, to_ns: int | None = None) -> Out:
    """Everything it passes on by ``to_ns``, each with its instant."""
    out: Out = []
    while (due_ns := stage.due_ns()) is not None and (to_ns is None or due_ns <= to_ns):
        at_ns = max(due_ns, from_ns)
        out += [(at_ns, kind, data) for kind, data in stage.pop(at_ns)]
    return out


def _run(stage: Stage, chunks: list[tuple[int, int]], *, end: bool = True) -> tuple[Out, bytes, int]:
    """Feed chunks of (pause before, size), then the end; what came out, what went in, and when the end went in."""
    now_ns, out, sent = 0, Out(), b""
    for pause_ns, size in chunks:
        out += _until_idle(stage, now_ns, now_ns + pause_ns)
        now_ns += pause_ns
        data = random.Random(len(sent)).randbytes(size)
        sent += data
        stage.push(now_ns, DATA, data)
    if end:
        stage.push(now_ns, FIN, b"")
    out += _until_idle(stage, now_ns)
    return out, sent, now_ns


def _stage(effect: object, seed: int = 1) -> Stage:
    return stage_of(effect, random.Random(seed), 0)  # type: ignore[arg-type]


def _bytes(out: Out) -> bytes:
    return b"".join(data for _, kind, data in out if kind == DATA)


@given(_PACING, _CHUNKS, st.integers(0, 99))
def test_no_byte_is_lost_order_is_kept_and_the_end_comes_last(
    effect: object, chunks: list[tuple[int, int]], seed: int
) -> None:
    out, sent, _ = _run(_stage(effect, seed), chunks)
    assert _bytes(out) == sent
    assert [kind for _, kind, _ in out].index(FIN) == len(out) - 1
    assert [at_ns for at_ns, _, _ in out] == sorted(at_ns for at_ns, _, _ in out)


@given(_PACING, _PACING, _CHUNKS, st.integers(0, 60 * MS), st.booleans())
def test_changing_or_removing_a_toxic_in_mid_stream_loses_and_reorders_nothing(
    effect: object, other: object, chunks: list[tuple[int, int]], change_ns: int, removed: bool
) -> None:
    stage = _stage(effect)
    sent, now_ns = b"", 0
    for pause_ns, size in chunks:
        now_ns += pause_ns
        sent += bytes([len(sent) % 251]) * size
        stage.push(now_ns, DATA, bytes([(len(sent) - size) % 251]) * size)
    stage.push(now_ns, FIN, b"")
    before = _until_idle(stage, now_ns, now_ns + change_ns)
    now_ns += change_ns
    at_once = (
        stage.withdraw() if removed else stage.update(now_ns, effect if type(effect) is not type(other) else other)
    )
    after = _until_idle(stage, now_ns)
    if removed:
        assert after == []
    parts = [(kind, data) for _, kind, data in before] + at_once + [(kind, data) for _, kind, data in after]
    assert b"".join(data for kind, data in parts if kind == DATA) == sent
    assert [kind for kind, _ in parts].count(FIN) == 1
    assert parts[-1][0] == FIN


@given(st.integers(0, 90), st.integers(0, 90), _CHUNKS)
def test_latency_delays_each_chunk_within_its_jitter_or_until_the_one_before(
    latency: int, jitter: int, chunks: list[tuple[int, int]]
) -> None:
    out, _, _ = _run(_stage(Latency(latency, jitter)), chunks, end=False)
    entered_ns = last_ns = 0
    assert len(out) == len(chunks)
    for (at_ns, _, _), (pause_ns, _) in zip(out, chunks, strict=True):
        entered_ns += pause_ns
        earliest_ns = max(last_ns, entered_ns, entered_ns + (latency - jitter) * MS)
        assert earliest_ns <= at_ns <= max(last_ns, entered_ns + (latency + jitter) * MS)
        last_ns = at_ns


def test_the_end_of_a_stream_waits_for_delayed_data_and_no_longer() -> None:
    stage = _stage(Latency(100))
    stage.push(0, DATA, b"x")
    stage.push(10 * MS, FIN, b"")
    assert _until_idle(stage, 10 * MS) == [(100 * MS, DATA, b"x"), (100 * MS, FIN, b"")]
    stage.push(200 * MS, FIN, b"")
    assert _until_idle(stage, 200 * MS) == [(200 * MS, FIN, b"")]


@given(st.integers(1, 2_000), st.lists(st.integers(1, CHUNK), min_size=1, max_size=8))
def test_bandwidth_takes_exactly_the_time_of_its_bytes(rate: int, sizes: list[int]) -> None:
    out, sent, _ = _run(_stage(Bandwidth(rate)), [(0, size) for size in sizes], end=False)
    assert out[-1][0] == sum(size * MS // rate for size in sizes)
    for at_ns, _, data in out:
        assert len(data) <= rate * 100 or at_ns
        assert len(data) <= max(rate * 100, 1)
    assert len(_bytes(out)) == len(sent)


def test_a_kilobyte_is_a_thousand_bytes_and_slow_data_comes_every_100_ms() -> None:
    stage = _stage(Bandwidth(10))
    stage.push(0, DATA, b"x" * 2_500)
    assert [(at_ns // MS, len(data)) for at_ns, _, data in _until_idle(stage, 0)] == [
        (100, 1_000),
        (200, 1_000),
        (250, 500),
    ]


def test_no_bandwidth_passes_nothing_until_there_is_some() -> None:
    stage = _stage(Bandwidth(0))
    for part in (b"a", b"b" * 1_000):
        stage.push(0, DATA, part)
    stage.push(0, FIN, b"")
    assert stage.due_ns() is None
    assert stage.update(50 * MS, Bandwidth(1)) == [(DATA, b"a")]
    assert [at_ns // MS for at_ns, _, _ in _until_idle(stage, 50 * MS)][-1] == 1_050


@given(st.integers(2, 3_000), st.data(), st.integers(1, CHUNK), st.integers(0, 9))
def test_slices_are_as_large_as_average_and_variation_allow(
    average: int, data: st.DataObject, size: int, seed: int
) -> None:
    variation = data.draw(st.integers(0, average - 1))
    out, _, _ = _run(_stage(Slicer(average, variation, 7), seed), [(0, size)], end=False)
    sizes = [len(part) for _, _, part in out]
    assert sum(sizes) == size
    assert max(sizes) <= average + variation
    assert min(sizes) >= min(size, max(1, (average - variation) // 2))
    assert [at_ns for at_ns, _, _ in out] == [7 * US * number for number in range(len(sizes))]


def test_slow_close_delays_the_end_and_nothing_else() -> None:
    stage = _stage(SlowClose(500))
    stage.push(1 * MS, DATA, b"x")
    stage.push(2 * MS, FIN, b"")
    assert _until_idle(stage, 1 * MS) == [(1 * MS, DATA, b"x"), (502 * MS, FIN, b"")]


@given(st.integers(0, 5_000), st.lists(st.integers(1, 3_000), min_size=1, max_size=9))
def test_limit_data_passes_exactly_its_bytes_and_then_closes(limit: int, sizes: list[int]) -> None:
    out, sent, _ = _run(_stage(LimitData(limit)), [(1, size) for size in sizes])
    assert _bytes(out) == sent[:limit]
    assert out[-1][1] == (CLOSE if len(sent) >= limit else FIN)
    assert [kind for _, kind, _ in out if kind != DATA] == [out[-1][1]]


def test_a_limit_counts_what_passed_before_it_was_changed() -> None:
    stage = _stage(LimitData(100))
    stage.push(0, DATA, b"x" * 60)
    assert len(stage.pop(0)) == 1
    assert stage.update(1, LimitData(70)) == []
    stage.push(2, DATA, b"y" * 60)
    assert stage.pop(2) == [(DATA, b"y" * 10), (CLOSE, b"")]


def test_a_timeout_drops_data_and_closes_when_none_has_come_for_it() -> None:
    stage = _stage(Timeout(100))
    assert stage.push(60 * MS, DATA, b"dropped") == 7
    assert _until_idle(stage, 60 * MS) == [(160 * MS, CLOSE, b"")]
    assert stage.push(170 * MS, DATA, b"late") == 0


def test_a_timeout_of_zero_closes_only_when_it_is_removed() -> None:
    stage = _stage(Timeout(0))
    assert stage.push(5, DATA, b"dropped") == 7
    assert stage.due_ns() is None
    assert stage.withdraw() == [(CLOSE, b"")]


def test_a_timeout_lets_the_end_of_the_stream_pass() -> None:
    stage = _stage(Timeout(100))
    stage.push(5, FIN, b"")
    assert _until_idle(stage, 5) == [(5, FIN, b"")]
    assert stage.withdraw() == []


@pytest.mark.parametrize("kind", [DATA, FIN])
def test_reset_peer_waits_for_the_first_thing_to_come(kind: int) -> None:
    stage = _stage(ResetPeer(100))
    assert stage.due_ns() is None
    stage.push(30 * MS, kind, b"dropped" if kind == DATA else b"")
    stage.push(90 * MS, DATA, b"dropped too")
    assert _until_idle(stage, 30 * MS) == [(130 * MS, ABORT, b"")]
    assert stage.withdraw() == []


def test_a_reset_that_swallowed_data_comes_when_its_toxic_is_removed() -> None:
    stage = _stage(ResetPeer(100))
    assert stage.withdraw() == []
    stage.push(0, DATA, b"dropped")
    assert stage.withdraw() == [(ABORT, b"")]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Slicer(0),
        lambda: Slicer(10, 10),
        lambda: Toxic(Latency(-1)),
        lambda: Toxic(Latency(1), "sideways"),  # type: ignore[arg-type]
        lambda: Toxic(Latency(1), toxicity=1.5),
    ],
)
def test_attributes_that_mean_nothing_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"size_variation|negative|stream|toxicity"):
        build()


def test_a_toxic_is_named_and_described_as_toxiproxy_has_it() -> None:
    toxic = Toxic(Slicer(10, 3, 5), "upstream", 0.5)
    assert (toxic.kind, toxic.attributes()) == ("slicer", {"average_size": 10, "size_variation": 3, "delay": 5})
    assert toxic.describe() == "slicer upstream toxicity=0.5 average_size=10 size_variation=3 delay=5"
