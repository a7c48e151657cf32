"""Contract A2: the client takes what real appliances send; what it cannot read is reported by path."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.stack.decoding import decode_alerts, decode_datasets, decode_disks, decode_pools, decode_system
from pulse_sim.stack.errors import AnswerUnusable
from pulse_sim.stack.wire import Fields, parse


def fields(value: Any) -> Fields:
    return Fields({"k": value}, "thing", [])


@pytest.mark.parametrize(
    ("value", "read", "noted"),
    [
        (5, 5, False), (5.9, 5, False), ("5", 5, False), ("5.5", 5, False), (None, None, False), (-3, -3, False),
        (True, None, True), ("many", None, True), ([], None, True), (math.inf, None, True), (math.nan, None, True),
        (10**30, None, True), ("9" * 50, None, True), ("1e400", None, True),
    ],
)  # fmt: skip
def test_whole_numbers(value: Any, read: int | None, noted: bool) -> None:
    found = fields(value)
    assert (found.integer("k"), found.unreadable) == (read, ["thing.k"] if noted else [])


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"$date": 1769421301000}, 1769421301_000000000),
        (1769421301, 1769421301_000000000),
        ("2026-01-26T09:55:01Z", 1769421301_000000000),
        ("2026-01-26T10:55:01+01:00", 1769421301_000000000),
        ({"$date": None}, None), (None, None), ({"$date": 10**40}, None), ("yesterday", None), ([1], None),
    ],
)  # fmt: skip
def test_dates(value: Any, read: int | None) -> None:
    assert fields(value).instant("k") == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("on", True), ("OFF", False), (1, True), ("no", False), (None, None), ("maybe", None), ([], None)],
)
def test_flags(value: Any, read: bool | None) -> None:
    assert fields(value).flag("k") is read


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 200_000, b'"\\ud800', b"1" * 5000])
def test_a_body_that_is_not_json_is_unusable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(AnswerUnusable):
        parse(body)


@pytest.mark.parametrize("name", [None, "", "  ", 5, [], {}])
def test_a_thing_without_a_name_makes_the_answer_unusable(name: Any) -> None:
    for decode in (decode_pools, decode_disks):
        with pytest.raises(AnswerUnusable):
            decode([{"name": name}], [])
    with pytest.raises(AnswerUnusable):
        decode_datasets([{"name": name}], [])


def test_names_that_differ_in_control_characters_stay_different() -> None:
    names = [pool.name for pool in decode_pools([{"name": "a\x00"}, {"name": "a\x01"}, {"name": "\ud800"}], [])]
    assert names == ["a\\x00", "a\\x01", "\\ud800"]


VDEV = {"type": "DISK", "status": "ONLINE", "disk": "sda", "children": [],
        "stats": {"read_errors": 1, "write_errors": 2, "checksum_errors": 3}}  # fmt: skip


def test_errors_are_summed_over_top_level_vdevs_and_members_come_from_the_leaves() -> None:
    mirror = {**VDEV, "disk": None, "type": "MIRROR", "children": [
        VDEV | {"disk": "sdb", "stats": {"read_errors": 100}},
        VDEV | {"disk": None, "status": "UNAVAIL", "unavail_disk": {"name": "sdc"}},
    ]}  # fmt: skip
    (pool,) = decode_pools(
        [{"name": "tank", "topology": {"data": [VDEV, mirror], "log": [VDEV | {"disk": "sdd"}]}}], []
    )
    assert (pool.read_errors, pool.write_errors, pool.checksum_errors) == (3, 6, 9)
    assert pool.members == {"sda": "ONLINE", "sdb": "ONLINE", "sdc": "UNAVAIL", "sdd": "ONLINE"}


def test_an_exported_pool_with_nulls_is_read() -> None:
    nulls = dict.fromkeys(("scan", "topology", "size", "allocated", "free"))
    unreadable: list[str] = []
    (pool,) = decode_pools([{"name": "tank", "status": "OFFLINE", "healthy": False, **nulls}], unreadable)
    assert (pool.size, pool.members, pool.scan.state, unreadable) == (None, {}, None, [])


def prop(parsed: Any, raw: Any = "7") -> dict[str, Any]:
    return {"parsed": parsed, "rawvalue": raw, "value": "7B", "source": "NONE"}


@pytest.mark.parametrize(
    ("value", "used"),
    [
        (prop(7), 7),
        (prop("7"), 7),
        (prop(7.0), 7),
        (prop(None, "7"), 7),
        (prop(None, "none"), None),
        (7, 7),
        (None, None),
    ],
)
def test_a_property_is_read_from_parsed_or_raw_value(value: Any, used: int | None) -> None:
    assert decode_datasets([{"name": "a", "used": value}], [])[0].used == used


def test_datasets_as_a_list_as_a_tree_and_as_both_are_the_same() -> None:
    grandchild = {"name": "a/b/c"}
    child = {"name": "a/b", "children": [grandchild]}
    root = {"name": "a", "children": [child]}
    flat = [{"name": "a"}, {"name": "a/b"}, {"name": "a/b/c"}]
    for answer in (flat, [root], [root, child, grandchild]):
        assert [each.name for each in decode_datasets(answer, [])] == ["a", "a/b", "a/b/c"]


@pytest.mark.parametrize(
    ("more", "locked"),
    [({"locked": True}, True), ({"locked": False}, False), ({"encrypted": True, "key_loaded": False}, True),
     ({"encrypted": False, "key_loaded": False}, False), ({}, False)],
)  # fmt: skip
def test_locked(more: dict[str, Any], locked: bool) -> None:
    assert decode_datasets([{"name": "a", **more}], [])[0].locked is locked


def test_an_unreadable_field_is_reported_by_path_and_costs_nothing_else() -> None:
    unreadable: list[str] = []
    pools = decode_pools([{"name": "a", "size": 1}, {"name": "b", "size": "much", "free": 2}], unreadable)
    assert unreadable == ["pool[1].size"]
    assert (pools[1].size, pools[1].free) == (None, 2)


def test_alerts_lose_their_markup_and_dismissed_ones_are_skipped() -> None:
    alerts = decode_alerts(
        [{"uuid": "1", "dismissed": True}, {"uuid": "2", "level": "CRITICAL", "formatted": "Pool tank<br><b>bad</b>"},
         {"uuid": 3, "level": None, "args": ["sda", 1]}], []
    )  # fmt: skip
    assert [(alert.id, alert.text, alert.subjects) for alert in alerts] == [
        ("2", "Pool tank bad", ()),
        ("3", "", ("sda",)),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["name", "scan", "topology", "data", "stats", "children", "used", "parsed", "args", "datetime", "$date", "text",
         "disk", "status", "unavail_disk", "read_errors", "loadavg", "version", "readonly", "mountpoint", "locked"]
    ), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None)
@given(JSON)
def test_no_value_makes_decoding_raise_anything_but_unusable(value: Any) -> None:
    for decode in (decode_system, decode_pools, decode_disks, decode_alerts, decode_datasets):
        for answer in (value, [value], [{"name": "x", "topology": {"data": [value]}, "children": [value]}]):
            try:
                json.dumps(repr(decode(answer, [])))
            except AnswerUnusable as unusable:
                assert unusable.cause
