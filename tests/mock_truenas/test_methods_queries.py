"""The query language against a second, plain reading of it, and its errors in the words of each version."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_truenas.api.errors import MatchNotFound, ValidationErrors
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.api.methods.method import Call
from mock_truenas.api.methods.performing import perform, prepared
from mock_truenas.api.methods.queries import apply, apply_in_turns, read_query, read_query_string
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance.dialect import dialect
from tests.mock_truenas.calls import ROOT, machine
from tests.mock_truenas.wire import serving

OLD, NEW = dialect("24.10.2"), dialect("25.10.2")
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "A", "ab", "B", "ba"]))
_ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 9)},
        optional={
            "name": st.sampled_from(["a", "A", "ab", "B", "ba"]),
            "size": st.none() | st.integers(-3, 3),
            "scan": st.none() | st.fixed_dictionaries({}, optional={"state": _SCALARS, "at": st.integers(0, 3)}),
            "tags": st.lists(_SCALARS, max_size=3),
        },
    ),
    max_size=6,
)
_PATHS = st.sampled_from(["id", "name", "size", "scan.state", "scan.at", "tags.*", "tags.0", "nosuch"])
_PLAIN = st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "^", "!^", "$", "!$", "in", "nin", "rin", "rnin", "~"])
_VALUES = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3))
_LEAVES = st.tuples(_PATHS, st.builds(lambda fold, word: fold + word, st.sampled_from(["", "C"]), _PLAIN), _VALUES)
_FILTERS = st.recursive(
    _LEAVES.map(list),
    lambda inner: st.lists(inner | st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=2).map(
        lambda branches: ["OR", branches]
    ),
    max_leaves=4,
)


def _found(row: Any, path: str) -> list[Any]:
    """Every value at a path, read anew."""
    values = [row]
    for step in path.split("."):
        following: list[Any] = []
        for value in values:
            if isinstance(value, dict) and step in value:
                following.append(value[step])
            elif isinstance(value, list):
                following += value if step == "*" else [value[int(step)]] if len(value) > int(step) else []
        values = following
    return values


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(part) for part in value]
    return value.lower() if isinstance(value, str) else value


def _compared(value: Any, word: str, wanted: Any) -> bool:
    if word.startswith("C"):
        value, wanted, word = _folded(value), _folded(wanted), word[1:]
    text = isinstance(value, str) and isinstance(wanted, str)
    try:
        match word:
            case "=" | "!=":
                return bool((value == wanted) == (word == "="))
            case ">" | ">=" | "<" | "<=":
                orders: dict[str, Callable[[], bool]] = {
                    ">": lambda: value > wanted,
                    ">=": lambda: value >= wanted,
                    "<": lambda: value < wanted,
                    "<=": lambda: value <= wanted,
                }
                return orders[word]()
            case "in" | "nin":
                return (value in wanted) == (word == "in")
            case "rin" | "rnin":
                return (wanted in value) == (word == "rin")
            case "~":
                # Patterns of the strategy are plain text, but an empty list and the like are patterns as well.
                return isinstance(value, str) and value.startswith(wanted)
            case "^" | "!^":
                return text and value.startswith(wanted) == (word == "^")
            case "$" | "!$":
                return text and value.endswith(wanted) == (word == "$")
    except TypeError:
        return False
    raise AssertionError(word)


def _meant(row: Any, part: Any) -> bool:
    if part and isinstance(part[0], list):
        return all(_meant(row, inner) for inner in part)
    if part[0] == "OR":
        return any(_meant(row, branch) for branch in part[1])
    path, word, wanted = part
    return any(_compared(value, word, wanted) for value in _found(row, path))


def _patterns_are_text(part: Any) -> bool:
    if part and isinstance(part[0], list):
        return all(map(_patterns_are_text, part))
    if part[0] == "OR":
        return all(map(_patterns_are_text, part[1]))
    return "~" not in part[1] or isinstance(part[2], str)


@settings(max_examples=400, deadline=None)
@given(_ROWS, st.lists(_FILTERS.filter(_patterns_are_text), max_size=3))
def test_filters_select_what_a_plain_reading_of_them_selects(rows: list[dict[str, Any]], filters: list[Any]) -> None:
    expected = [row for row in rows if all(_meant(row, part) for part in filters)]
    assert apply(read_query((filters,), NEW), rows) == expected
    assert apply(read_query((filters, {"count": True}), OLD), rows) == len(expected)


@settings(max_examples=200, deadline=None)
@given(_ROWS, st.integers(0, 7), st.integers(0, 7))
def test_pages_put_together_are_the_whole_list(rows: list[dict[str, Any]], offset: int, limit: int) -> None:
    page = apply(read_query(([], {"offset": offset, "limit": limit}), NEW), rows)
    assert page == (rows[offset : offset + limit] if limit else rows[offset:])


@settings(max_examples=200, deadline=None)
@given(_ROWS, st.sampled_from(["", "-"]), st.sampled_from(["", "nulls_first:", "nulls_last:"]))
def test_ordering_is_stable_complete_and_puts_nulls_where_asked(
    rows: list[dict[str, Any]], sign: str, nulls: str
) -> None:
    shown = apply(read_query(([], {"order_by": [f"{nulls}{sign}size"]}), NEW), rows)
    assert sorted(map(id, shown)) == sorted(map(id, rows))
    sizes = [row.get("size") for row in shown]
    known = [size for size in sizes if size is not None]
    assert known == sorted(known, reverse=sign == "-")
    missing = [size for size in sizes if size is None]
    first = nulls == "nulls_first:" or (nulls == "" and sign == "")
    assert sizes == (missing + known if first else known + missing)
    for size in {*sizes}:
        same = [row for row in rows if row.get("size") == size]
        assert [row for row in shown if row.get("size") == size] == same


def test_second_key_orders_what_the_first_leaves_equal() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}]
    assert apply(read_query(([], {"order_by": ["-a", "-b"]}), NEW), rows) == [rows[1], rows[2], rows[0]]


@pytest.mark.parametrize(
    ("select", "shown"),
    [
        (["a"], {"a": 1}),
        (["a", "nosuch"], {"a": 1}),
        (["b.c"], {"b": {"c": 2}}),
        (["b.c", "b.d"], {"b": {"c": 2, "d": [{"e": 3}, {"e": 4}]}}),
        ([["b.c", "x"]], {"x": 2}),
        (["b.d.0.e"], {"b": {"d": {"0": {"e": 3}}}}),
        ([["b.d.*.e", "all"]], {"all": [3, 4]}),
        (["dotted.name"], {"dotted.name": 5}),
        (["dotted\\.name"], {"dotted.name": 5}),
    ],
)
def test_select_shows_the_chosen_fields_and_nothing_else(select: list[Any], shown: dict[str, Any]) -> None:
    row = {"a": 1, "b": {"c": 2, "d": [{"e": 3}, {"e": 4}]}, "dotted.name": 5}
    before = json.dumps(row)
    assert apply(read_query(([], {"select": select}), NEW), [row]) == [shown]
    assert json.dumps(row) == before


def test_dates_are_compared_with_iso_text_and_with_milliseconds() -> None:
    rows: list[dict[str, Any]] = [{"t": {"$date": 1_770_595_200_000}}, {"t": None}, {"t": {"$date": 1_770_595_201_000}}]
    for wanted in ("2026-02-09T00:00:01", "2026-02-09T00:00:01+00:00", "2026-02-09T01:00:01+01:00", 1_770_595_201_000):
        assert apply(read_query(([["t.$date", "=", wanted]],), NEW), rows) == [rows[2]]
        assert apply(read_query(([["t.$date", "<", wanted]],), NEW), rows) == [rows[0]]
    assert apply(read_query(([["t", ">", {"$date": 1_770_595_200_000}]],), NEW), rows) == [rows[2]]


def test_get_gives_the_first_row_or_raises() -> None:
    rows = [{"a": 1}, {"a": 2}]
    assert apply(read_query(([], {"get": True, "order_by": ["-a"]}), NEW), rows) == {"a": 2}
    assert apply(read_query(([["a", "=", 1]], {"get": True, "limit": 1, "select": [["a", "b"]]}), NEW), rows) == {
        "b": 1
    }
    with pytest.raises(MatchNotFound):
        apply(read_query(([["a", "=", 3]], {"get": True}), NEW), rows)


_SINGLE = "Invalid options combination. `get` implies a single result."
_CASES: list[tuple[str, tuple[Any, ...], list[tuple[str, str]], list[tuple[str, str]]]] = [
    (
        "filters that are no list",
        ({},),
        [("query-filters", "Not a list")],
        [("filters", "Input should be a valid list")],
    ),
    (
        "limit that is text",
        ([], {"limit": "1"}),
        [("query-options.limit", "Not an integer")],
        [("options.limit", "Input should be a valid integer")],
    ),
    (
        "limit that is a float",
        ([], {"limit": 1.0}),
        [("query-options.limit", "Not an integer")],
        [("options.limit", "Input should be a valid integer")],
    ),
    (
        "unknown option",
        ([], {"sort": "name"}),
        [("query-options.sort", "Field was not expected")],
        [("options.sort", "Extra inputs are not permitted")],
    ),
    (
        "option of old",
        ([], {"relationships": False}),
        [],
        [("options.relationships", "Extra inputs are not permitted")],
    ),
    (
        "options that are no object",
        ([], []),
        [("query-options", "A dict was expected")],
        [("options", "Input should be a valid dictionary or instance of QueryOptions")],
    ),
    ("get with limit", ([], {"get": True, "limit": 2}), [("query-options", _SINGLE)], [("options", _SINGLE)]),
    ("get with offset", ([], {"get": True, "offset": 1}), [("query-options", _SINGLE)], [("options", _SINGLE)]),
    (
        "unknown operator",
        ([["a", "like", 1]],),
        [("query-filters", "Invalid operation: like")],
        [("filters", "Invalid operation: like")],
    ),
    (
        "filter of two parts that is no OR",
        ([["AND", []]],),
        [("query-filters", "Invalid operation: AND")],
        [("filters", "Invalid operation: AND")],
    ),
    (
        "everything wrong at once",
        ([["a", "", 1]], {"count": 1, "offset": None}),
        [
            ("query-filters", "Invalid operation: "),
            ("query-options.count", "Not a boolean"),
            ("query-options.offset", "null not allowed"),
        ],
        [
            ("filters", "Invalid operation: "),
            ("options.count", "Input should be a valid boolean"),
            ("options.offset", "Input should be a valid integer"),
        ],
    ),
]


@pytest.mark.parametrize(("given_", "old", "new"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_refusal_has_the_words_of_its_version(
    given_: tuple[Any, ...], old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    for version, expected in ((OLD, old), (NEW, new)):
        if not expected:
            read_query(given_, version)
            continue
        with pytest.raises(ValidationErrors) as refused:
            read_query(given_, version)
        assert list(refused.value.problems) == [(path, words, 22) for path, words in expected]


def test_query_string_gives_types_to_its_values() -> None:
    pairs = [("a", "1"), ("b__gt", "-1"), ("c__in", "true"), ("d__^", "null"), ("e__regex", "x"), ("limit", "3")]
    query = read_query_string([*pairs, ("extra.x", "[1]"), ("extra.y", "[")], OLD)
    assert list(query.filters) == [
        ["a", "=", 1],
        ["b", ">", "-1"],
        ["c", "in", True],
        ["d", "^", None],
        ["e", "~", "x"],
    ]
    assert (query.options.limit, dict(query.options.extra)) == (3, {"x": [1], "y": "["})


def test_count_of_one_is_a_boolean_only_before_models_were_strict() -> None:
    assert read_query_string([("count", "1")], OLD).options.count is True
    with pytest.raises(ValidationErrors, match=r"options\.count: Input should be a valid boolean"):
        read_query_string([("count", "1")], NEW)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.recursive(_VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=6), max_size=3), _ROWS)
def test_any_json_is_a_query_or_refused(filters: list[Any], rows: list[dict[str, Any]]) -> None:
    try:
        query = read_query((filters,), NEW)
    except ValidationErrors as refused:
        assert {path for path, _, _ in refused.problems} == {"filters"}
    else:
        assert all(row in rows for row in apply(query, rows))


def test_filters_nested_without_end_are_refused() -> None:
    nested: Any = ["a", "=", 1]
    for _ in range(100):
        nested = ["OR", [nested]]
    with pytest.raises(ValidationErrors, match="Too many nested filters"):
        read_query(([nested],), NEW)


# -- large listings ----------------------------------------------------------------------------------------------------


async def turns_during(work: Awaitable[Any]) -> tuple[int, Any]:
    """How often others got their turn while something was awaited, and what it came to."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    result = await work
    task.cancel()
    return turns, result


@pytest.mark.parametrize(
    ("filters", "options", "least"),
    [
        ([["name", "~", ".*7$"]], {"count": True}, 12),
        ([], {"order_by": ["-size"], "limit": 5}, 12),
        ([["size", ">", 5]], {"order_by": ["name", "-size"], "select": ["name"], "limit": 700}, 30),
        ([["name", "=", "no such"]], {}, 12),
    ],
)
def test_rows_in_thousands_are_asked_in_turns_and_say_the_same(
    filters: list[Any], options: dict[str, Any], least: int
) -> None:
    rows = [{"name": f"disk{number * 7919 % 1250}", "size": number % 37} for number in range(1250)]
    query = read_query((filters, options), NEW)
    turns, found = asyncio.run(turns_during(apply_in_turns(query, rows)))
    assert found == apply(query, rows)
    assert turns >= least


def test_one_of_thousands_that_is_not_there_is_not_found_in_turns_either() -> None:
    rows = [{"id": number} for number in range(1000)]
    with pytest.raises(MatchNotFound):
        asyncio.run(apply_in_turns(read_query(([["id", "=", -1]], {"get": True}), NEW), rows))


def test_methods_with_thousands_of_rows_let_others_have_their_turn() -> None:
    box = machine("25.10", "datacenter")
    method = METHODS["disk.query"]
    given, query = prepared(method, [[["name", "^", "sda"]], {"select": ["name"]}], box.dialect)
    moment = Moment.of(box.appliance, box.appliance.now_ns())
    call = Call(method, box.appliance, box.dialect, moment, arguments=given, query=query, principal=ROOT)
    turns, found = asyncio.run(turns_during(perform(call)))
    assert turns >= 12
    assert found == [{"name": row["name"]} for row in box.call("disk.query") if row["name"].startswith("sda")]


@pytest.mark.asyncio
async def test_a_pool_of_twelve_hundred_disks_is_printed_in_turns_once_and_then_filled() -> None:
    async with serving("datacenter", release="25.10") as served:
        first = await served.ask("/api/v2.0/pool")
        assert first.body == json.dumps(json.loads(first.body), indent=1).encode()
        served.clock.at_ns += 1_000_000_000
        later = await served.ask("/api/v2.0/pool")
        assert len(later.body) == len(first.body)
        assert later.body != first.body
