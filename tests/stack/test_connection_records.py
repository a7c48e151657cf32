"""The plaintext of the store: whatever is accepted can be written back and is then the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.stack.connection_records import (
    RecordsInvalid,
    decode_records,
    encode_records,
    is_plaintext,
    resembles_plaintext,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
RECORDS = st.fixed_dictionaries(
    {"id": st.sampled_from("abc"), "host": st.sampled_from(["a.lan", "https://b.lan:8443", "::1"])},
    optional={
        "apiKey": st.text(max_size=5) | st.just("1-x"),
        "password": st.text(max_size=5),
        "username": st.just("root"),
        "port": VALUES | st.just(443),
        "enabled": VALUES,
        "future": VALUES,
    },
)


@settings(deadline=None)
@given(st.lists(RECORDS, max_size=3))
def test_what_is_accepted_is_written_back_as_it_was_read(records: list[dict[str, Any]]) -> None:
    text = json.dumps(records).encode()
    try:
        found = decode_records(text, "acme")
    except RecordsInvalid:
        return
    again = encode_records(found)
    assert decode_records(again, "acme") == found
    assert [record.get("future") for record in json.loads(again)] == [record.get("future") for record in records]
    assert is_plaintext(again)
    assert resembles_plaintext(again)


@settings(deadline=None)
@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_connections_or_invalid_and_nothing_else(text: bytes) -> None:
    try:
        assert decode_records(text, "default") == ()
    except RecordsInvalid as invalid:
        assert invalid.__context__ is None


@pytest.mark.parametrize("depth", [10, 60])
@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_depth_is_accepted_as_far_as_it_can_always_be_written(depth: int, kind: str) -> None:
    def nested(levels: int) -> bytes:
        opened, closed = ("[", "]") if kind == "[]" else ('{"a":', "}")
        inner = opened * levels + "1" + closed * levels
        return f'[{{"id":"a","host":"b.lan","apiKey":"1-x","future":{inner}}}]'.encode()

    (found,) = decode_records(nested(depth), "default")
    assert decode_records(encode_records([found]), "default") == (found,)
    with pytest.raises(RecordsInvalid):
        decode_records(nested(depth + 5 if depth == 60 else 10_000), "default")
