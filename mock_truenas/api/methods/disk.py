"""``disk.*``: disks and their temperatures (truenas-api 3.4)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Call, Kind, Method, Param
from mock_truenas.api.resources import disk


def _rows(call: Call) -> list[dict[str, Any]]:
    return disk.rows(call.appliance, call.extra, call.dialect)


def _temperatures(call: Call) -> Any:
    names = call.arguments.get("names", call.arguments.get("name")) or []
    return disk.temperatures(call.appliance, names, call.appliance.now_ns())


METHODS: Final = (
    Method("disk.query", "Disks", _rows, kind=Kind.QUERY, filterable=True, moving="never"),
    Method(
        "disk.temperatures",
        "°C by disk name",
        _temperatures,
        (
            Param("names", list[str], until="25.10.0"),
            Param("options", dict[str, Any], {}, until="25.10.0"),
            Param("name", list[str], [], since="25.10.0"),
            Param("include_thresholds", bool, default=False, since="25.10.0"),
        ),
    ),
)
