"""Large JSON printed in pieces is, byte for byte, what the standard encoder prints."""

import asyncio
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.api.pieces import PIECE, default, gathered, is_big, pieces, plain
from mock_truenas.api.resources import dataset, snapshot
from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.appliance.model import Dataset, Snapshot
from tests.mock_truenas.wire import START_NS, SetClock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)
INDENT = st.sampled_from([1, None])
WORDS = st.text(min_size=1, max_size=8)
SETTINGS = st.dictionaries(
    st.sampled_from(["comments", "compression", "recordsize", "quota", "atime", "copies", "userquota@joe"]),
    st.sampled_from(["4096", "on", "%s %d", "\ue001used\ue001", "ж", '"', "\n"]),
    max_size=3,
).map(
    lambda chosen: {name: raw for name, raw in chosen.items() if name not in ("recordsize", "quota") or raw == "4096"}
)


def empty() -> Appliance:
    nas = build_appliance(
        fixture="baseline",
        release="25.10",
        clock=SetClock(),
        entropy=random.Random("1:entropy").randbytes,
        rng=random.Random("1:appliance"),
    )
    nas.change(datasets={}, snapshots={})
    return nas


NAS = empty()


@st.composite
def states(draw: st.DrawFn) -> dict[str, Dataset]:
    """A few datasets, some of them below others, with settings nobody would choose."""
    found: dict[str, Dataset] = {}
    for _ in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from(["", *found]))
        name = f"{parent}/{draw(WORDS)}" if parent else draw(WORDS)
        encrypted = draw(st.booleans())
        volume = draw(st.booleans())
        found[name] = Dataset(
            name=name,
            guid=str(draw(st.integers(1, 1 << 63))),
            used=draw(st.integers(0, 1 << 70)),
            available=draw(st.integers(0, 1 << 50)),
            snapshots_used=draw(st.integers(0, 1 << 20)),
            created_at_ns=START_NS - draw(st.integers(0, 1 << 60)),
            type="VOLUME" if volume else "FILESYSTEM",
            volsize=1 << 30 if volume else None,
            encrypted=encrypted,
            encryption_root=draw(st.sampled_from([name, parent or name])) if encrypted else None,
            key_loaded=draw(st.booleans()) if encrypted else None,
            readonly=draw(st.booleans()),
            mountpoint=None if volume else f"/mnt/{name}",
            settings=draw(SETTINGS),
            user_properties=draw(st.dictionaries(st.sampled_from(["a:b", "%:s"]), st.text(max_size=5), max_size=2)),
        )
    return found


EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "flat": st.booleans(),
        "retrieve_children": st.booleans(),
        "snapshots": st.booleans(),
        "snapshots_count": st.booleans(),
        "retrieve_user_props": st.booleans(),
        "properties": st.lists(st.sampled_from(["used", "readonly", "creation", "encryption_algorithm", "no"])),
    },
)


def printed(value: Any, indent: int | None) -> bytes:
    return b"".join(pieces(value, indent))


@given(value=JSON, indent=INDENT)
def test_any_value_is_printed_as_the_standard_encoder_prints_it(value: Any, indent: int | None) -> None:
    assert printed(value, indent) == json.dumps(value, indent=indent).encode()


@given(value=st.dictionaries(st.integers() | st.booleans() | st.none(), st.integers(), max_size=3), indent=INDENT)
def test_keys_that_are_no_text_are_printed_as_the_standard_encoder_prints_them(
    value: dict[Any, int], indent: int | None
) -> None:
    assert printed(value, indent) == json.dumps(value, indent=indent).encode()


@given(datasets=states(), extra=EXTRAS, indent=INDENT)
def test_datasets_print_themselves_as_their_plain_rows_are_printed(
    datasets: dict[str, Dataset], extra: dict[str, Any], indent: int | None
) -> None:
    NAS.change(datasets=datasets, snapshots={f"{name}@a": _snapshot(f"{name}@a") for name in list(datasets)[:2]})
    rows = dataset.rows(NAS, extra)
    assert printed(rows, indent) == json.dumps(plain(rows), indent=indent).encode()
    assert (
        printed({"id": 1, "result": rows}, indent)
        == json.dumps({"id": 1, "result": plain(rows)}, indent=indent).encode()
    )
    assert json.dumps(rows, indent=indent, default=default) == json.dumps(plain(rows), indent=indent)


@given(datasets=states(), extra=EXTRAS)
def test_a_field_of_a_dataset_is_the_same_alone_and_in_its_row(
    datasets: dict[str, Dataset], extra: dict[str, Any]
) -> None:
    NAS.change(datasets=datasets, snapshots={})
    for row in dataset.rows(NAS, extra):
        whole = plain(row)
        assert list(row) == list(whole)
        assert len(row) == len(whole)
        assert {key: plain(row[key]) for key in row} == whole
        assert "no such key" not in row
        with pytest.raises(KeyError):
            row["no such key"]


def _snapshot(name: str, **fields: Any) -> Snapshot:
    return replace(Snapshot(name, "77", 12345, START_NS, 98_304, 4096), **fields)


@given(
    names=st.lists(WORDS, max_size=4, unique=True),
    keep_until_ns=st.none() | st.integers(START_NS, START_NS + (1 << 50)),
    holds=st.dictionaries(WORDS, st.integers(0, START_NS), max_size=2),
    extra=st.fixed_dictionaries({}, optional={"holds": st.booleans(), "retention": st.booleans()}),
    indent=INDENT,
)
def test_snapshots_print_themselves_as_their_plain_rows_are_printed(
    names: list[str], keep_until_ns: int | None, holds: dict[str, int], extra: dict[str, Any], indent: int | None
) -> None:
    made = [_snapshot(f"tank/{name}@x", keep_until_ns=keep_until_ns, holds=holds) for name in names]
    NAS.change(datasets={}, snapshots={one.name: one for one in made})
    for release in ("24.10.0", "25.10.0"):
        rows = snapshot.rows(NAS, extra, NAS.release.dialect_of("v25.10.0") if release > "25" else NAS.release.dialect)
        assert printed(rows, indent) == json.dumps(plain(rows), indent=indent).encode()


def test_pieces_are_of_a_size_and_others_get_their_turn_between_them() -> None:
    rows = [{"name": "x" * 1000, "number": number} for number in range(2000)]

    async def run() -> tuple[list[bytes], int]:
        turns = 0
        going = True

        async def other() -> None:
            nonlocal turns
            while going:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        made = await gathered(rows, 1)
        going = False
        await task
        return made, turns

    made, turns = asyncio.run(run())
    assert b"".join(made) == json.dumps(rows, indent=1).encode()
    assert all(PIECE <= len(piece) < PIECE + 2000 for piece in made[:-1])
    assert turns >= len(made) > 10


def test_only_what_would_hold_up_the_loop_is_big() -> None:
    assert not is_big({"name": "tank", "list": list(range(1000))})
    assert is_big([{"number": number} for number in range(4000)])
    NAS.change(datasets={f"tank{n}": replace(BIG, name=f"tank{n}") for n in range(100)}, snapshots={})
    assert is_big(dataset.rows(NAS, {}))
    assert not is_big(dataset.rows(NAS, {}, "tank7"))


BIG = Dataset("tank", "1", 0, 0, 0, START_NS)


def test_a_plain_copy_shares_nothing_with_what_it_was_made_of() -> None:
    NAS.change(datasets={"a": replace(BIG, name="a"), "a/b": replace(BIG, name="a/b")}, snapshots={})
    rows = dataset.rows(NAS, {})
    copy = plain(rows)
    copy[0]["compression"]["value"] = "changed"
    copy[0]["children"].clear()
    assert plain(rows)[0]["compression"]["value"] == "LZ4"
    assert plain(rows)[0]["children"][0]["compression"]["value"] == "LZ4"
