"""``pool.*``: pools, their topology and their scans (truenas-api 3.2)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Call, Kind, Method
from mock_truenas.api.resources import pool


def _rows(call: Call) -> list[dict[str, Any]]:
    return pool.rows(call.appliance, call.moment, call.extra, call.dialect)


METHODS: Final = (
    Method("pool.query", "Pools with topology", _rows, kind=Kind.QUERY, filterable=True, moving="template"),
)
