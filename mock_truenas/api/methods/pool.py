"""``pool.*``: pools, their topology and their scans (truenas-api 3.2)."""

from typing import Any, Final

from mock_truenas.api.errors import InstanceNotFound
from mock_truenas.api.methods.method import Call, Kind, Method, Param
from mock_truenas.api.resources import pool


def _rows(call: Call) -> list[dict[str, Any]]:
    return pool.rows(call.appliance, call.moment, call.extra, call.dialect)


def _instance(call: Call) -> dict[str, Any]:
    number = call.arguments["id"]
    for row in _rows(call):
        if row["id"] == number:
            return row
    raise InstanceNotFound(f"Pool {number}")


METHODS: Final = (
    Method("pool.query", "Pools with topology", _rows, kind=Kind.QUERY, filterable=True, moving="template"),
    Method("pool.get_instance", "One pool", _instance, (Param("id", int),)),
)
