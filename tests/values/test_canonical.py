"""Canonical JSON and digests."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.canonical import canonical_json, digest, sha256_hex

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON)
def test_a_value_survives_its_bytes_and_has_only_one_form(value: Any) -> None:
    line = canonical_json(value)
    assert json.loads(line) == value
    assert canonical_json(json.loads(line)) == line


@given(st.dictionaries(TEXT, st.integers(), min_size=2))
def test_the_order_of_keys_does_not_show(value: dict[str, int]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_the_form_is_fixed() -> None:
    value = {"b": [1, 2.0, 1e30, True, None], "a": 'ä"\n', "B": {}}
    assert canonical_json(value) == b'{"B":{},"a":"\xc3\xa4\\"\\n","b":[1,2.0,1e+30,true,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], {"a": float("nan")}])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_a_digest_is_sha256_of_the_canonical_bytes() -> None:
    assert digest({"b": 1, "a": 2}) == sha256_hex(b'{"a":2,"b":1}') == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
