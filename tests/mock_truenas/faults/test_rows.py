"""Changes inside results: where a dotted path leads, and that nothing else changes."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS, Effect
from mock_truenas.faults.rows import GONE, edited
from tests.mock_truenas.faults.minimal import MINIMAL

ROWS: list[dict[str, Any]] = [
    {"name": "tank", "scan": {"errors": 1}, "data": [{"stats": {"size": 1}}, {"stats": {"size": 2}}]},
    {"name": "backup", "scan": None, "data": []},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.sampled_from("abc*"), min_size=1, max_size=3).map(".".join)


def _effect(name: str) -> Effect:
    return FAULT_KINDS[name].effect(FAULT_KINDS[name].parameters.model_validate(MINIMAL.get(name, {})))


def nothing(_: Any) -> None:
    return None


def test_lists_on_the_way_are_entered() -> None:
    changed = edited(ROWS, "data.stats.size", nothing)
    assert changed[0]["data"] == [{"stats": {"size": None}}] * 2
    assert changed[1] is ROWS[1]


def test_a_star_is_every_key_or_every_item() -> None:
    by_star = edited(ROWS, "*.data.*.stats.*", nothing)
    assert by_star == edited(ROWS, "data.stats.size", nothing)


def test_what_is_not_there_is_left_alone_unless_it_shall_be_made() -> None:
    assert edited(ROWS, "mounted", nothing) is ROWS
    assert [row["mounted"] for row in edited(ROWS, "mounted", nothing, create=True)] == [None, None]
    (made,) = edited([{}], "options.comment", nothing, create=True)
    assert made == {"options": {"comment": None}}


def test_only_the_named_rows_change() -> None:
    changed = edited(ROWS, "scan", lambda _: GONE, rows="ta*")
    assert ["scan" in row for row in changed] == [False, True]


@given(JSON, PATHS)
def test_the_value_given_never_changes_and_comes_back_itself_when_nothing_does(value: Any, path: str) -> None:
    before = copy.deepcopy(value)
    assert edited(value, path, lambda old: old) is value
    edited(value, path, lambda _: GONE)
    edited(value, path, nothing, create=True)
    assert value == before


@given(JSON, PATHS)
def test_what_is_dropped_is_not_found_again(value: Any, path: str) -> None:
    seen = []

    def look(old: Any) -> Any:
        seen.append(old)
        return old

    edited(edited(value, path, lambda _: GONE), path, look)
    assert seen == []


CHANGING = sorted(name for name in FAULT_KINDS if _effect(name).change_value is not None)
ANY_ROWS = st.lists(
    st.dictionaries(st.sampled_from(["name", "status", "serial", "state", "method", "progress", "aggregations"]), JSON)
)


@given(st.sampled_from(CHANGING), JSON | ANY_ROWS)
def test_no_result_is_too_odd_for_a_kind_and_none_changes_it_in_place(kind: str, value: Any) -> None:
    before = copy.deepcopy(value)
    change = _effect(kind).change_value
    assert change is not None
    json.dumps(change(value))
    assert value == before
