"""The bytes of format version 2, and differences of snapshots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.observation import Header, Record, Source
from pulse_sim.observation.delta import apply, difference
from pulse_sim.observation.shapes import SHAPES, require_shape

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_the_bytes_of_a_record_and_a_header_are_fixed() -> None:
    record = Record(3, 17_000_000_000, Source.SAMPLER, "health", "pulse", {"status": 200, "error": None})
    assert record.encode() == (
        b'{"data":{"error":null,"status":200},"kind":"health","seq":3,"source":"sampler","subject":"pulse",'
        b'"t":17000000000}\n'
    )
    header = Header("auth", 7, "2026-02-09T00:00:00Z", "simulated", "reference", "fifo")
    assert header.encode() == (
        b'{"format":"pulse-sim-observations","scenario":"auth","schedule":"fifo","seed":7,'
        b'"start":"2026-02-09T00:00:00Z","sut":"reference","version":2,"world":"simulated"}\n'
    )


@given(
    st.integers(0, 2**40),
    st.integers(0, 2**62),
    st.sampled_from(Source),
    st.text(),
    st.dictionaries(st.text(), JSON, max_size=4),
)
def test_a_record_survives_its_line(
    seq: int, time_ns: int, source: Source, subject: str, data: dict[str, object]
) -> None:
    record = Record(seq, time_ns, source, "kind", subject, data)
    try:
        line = record.encode()
    except UnicodeEncodeError:
        return  # half a surrogate is no text
    assert Record.decode(line) == record
    assert Record.decode(line).encode() == line


@given(st.text(), st.integers())
def test_a_header_survives_its_line(text: str, seed: int) -> None:
    header = Header(text, seed, "s", "w", "u", "f")
    try:
        line = header.encode()
    except UnicodeEncodeError:
        return
    assert Header.decode(line) == header


SNAPSHOT = st.dictionaries(st.text(max_size=2), st.integers(0, 2))


@given(SNAPSHOT, SNAPSHOT)
def test_a_difference_leads_from_one_snapshot_to_the_other(before: dict[str, int], after: dict[str, int]) -> None:
    delta = difference(before, after)
    assert apply(before, delta) == after
    assert delta["gone"] == sorted(delta["gone"])
    assert all(before.get(key) != value for key, value in delta["changed"].items())


@pytest.mark.parametrize("delta", [{"changed": {}, "gone": ["b"]}, {"changed": {"a": 2}, "gone": ["a"]}])
def test_a_difference_that_does_not_fit_is_refused(delta: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not there"):
        apply({"a": 1}, delta)
    with pytest.raises(ValueError, match="twice"):
        apply({"a": 1}, {"changed": {}, "gone": ["a", "a"]})


def test_every_kind_of_record_belongs_to_a_source() -> None:
    assert {kind.split("/")[0] for kind in SHAPES} == {source.value for source in Source}


@pytest.mark.parametrize("kind", [kind for kind, shape in SHAPES.items() if shape])
def test_a_record_without_its_fields_is_refused(kind: str) -> None:
    source, name = kind.split("/")
    with pytest.raises(ValueError, match=f"{kind} lacks"):
        require_shape(source, name, {})
    with pytest.raises(ValueError, match="wrong shape"):
        require_shape(source, name, dict.fromkeys(SHAPES[kind], 1.5))
