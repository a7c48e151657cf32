"""Peripheral tables – services, shares, apps and the like – as values: each change makes a new one, rows are shared."""

from collections.abc import Mapping
from typing import Any

from mock_truenas.appliance.model import Row, Tables


def inserted(tables: Tables, table: str, row: Row, key: Any = None) -> tuple[Tables, Row]:
    """With one more row; without a key (and without ``id`` in the row) it gets the next number. ValueError if taken."""
    rows = tables.get(table, {})
    if key is None:
        key = row["id"] if "id" in row else next_number(rows)
    if key in rows:
        raise ValueError(f"{table} has a row {key!r} already")
    made = {"id": key, **row}
    return {**tables, table: {**rows, key: made}}, made


def changed(tables: Tables, table: str, key: Any, fields: Mapping[str, Any]) -> tuple[Tables, Row]:
    """With fields of a row replaced. Raises KeyError for an unknown row."""
    rows = tables[table]
    made = {**rows[key], **fields}
    return {**tables, table: {**rows, key: made}}, made


def deleted(tables: Tables, table: str, key: Any) -> Tables:
    """Without a row. Raises KeyError for an unknown one."""
    rows = dict(tables[table])
    del rows[key]
    return {**tables, table: rows}


def next_number(rows: Mapping[Any, Row]) -> int:
    """One more than the highest numeric key."""
    return max((key for key in rows if isinstance(key, int)), default=0) + 1
