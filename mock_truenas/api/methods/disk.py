"""``disk.*``: disks, what is set on them, and their temperatures (truenas-api 3.4)."""

from dataclasses import replace
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from mock_truenas.api.errors import CallError, InstanceNotFound
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.queries import apply
from mock_truenas.api.methods.query import Options, Query
from mock_truenas.api.methods.tables import job, refuse, unknown_here
from mock_truenas.api.resources import disk
from mock_truenas.appliance.model import Disk

_WRITE: Final = frozenset({"DISK_WRITE"})
_Standby: TypeAlias = Literal["ALWAYS ON", "5", "10", "20", "30", "60", "120", "180", "240", "300", "330"]
_Power: TypeAlias = Literal["DISABLED", "1", "64", "127", "128", "192", "254"]


class DiskUpdate(Given):
    """What of a disk can be set."""

    description: str | None = None
    hddstandby: _Standby | None = None
    advpowermgmt: _Power | None = None
    togglesmart: bool | None = None
    smartoptions: str | None = None
    critical: int | None = None
    difference: int | None = None
    informational: int | None = None
    passwd: str | None = None


class TemperatureOptions(Given):
    """How temperatures are read up to 25.04."""

    cache: int | None = None
    only_cached: bool = False
    powermode: Literal["NEVER", "SLEEP", "STANDBY", "IDLE"] = "NEVER"


class DetailOptions(Given):
    """Which disks are told of."""

    join_partitions: bool = False
    type: Literal["USED", "UNUSED", "BOTH"] = "BOTH"


def _rows(call: Call) -> list[dict[str, Any]]:
    rows = disk.rows(call.appliance, call.extra, call.dialect)
    if call.extra.get("supports_smart") is True and "supports_smart" not in call.dialect.lacks("disk"):
        filters = call.query.filters if call.query is not None else ()
        asked: list[Any] = apply(Query(filters, Options()), rows)
        if len(asked) > 1:
            raise CallError("`supports_smart` is only supported for a single disk")
        for row in asked:
            row["supports_smart"] = True
    return rows


def _disk_of(call: Call) -> Disk:
    for found in call.appliance.base.disks.values():
        if found.identifier == call.arguments["id"]:
            return found
    raise InstanceNotFound(f"Disk {call.arguments['id']}")


def _update(call: Call) -> dict[str, Any]:
    found = _disk_of(call)
    given = call.arguments["disk_update"].model_dump(exclude_unset=True)
    refuse("disk_update", unknown_here(call, "disk", given))
    call.appliance.change_disk(found.name, settings={**found.settings, **given})
    return disk.row(call.appliance.state.disks[found.name], call.dialect)


def _temperatures(call: Call) -> Any:
    arguments = call.arguments
    names = arguments["name"] if "name" in arguments else arguments["names"]
    known = disk.temperatures(call.appliance, names, call.appliance.now_ns())
    return disk.with_thresholds(call.appliance, known) if arguments.get("include_thresholds") else known


def _temperature_summary(call: Call) -> dict[str, Any]:
    """Up to 25.04 it looks at the days to come, where nothing has been measured yet (truenas-api 3.4)."""
    if not call.dialect.has("temperature_agg_works"):
        return {}
    return disk.temperature_summary(call.appliance, call.arguments["names"], call.appliance.now_ns())


def _details(call: Call) -> Any:
    return disk.details(call.appliance, call.arguments["data"].type)


def _wipe(call: Call) -> JobPlan:
    name = call.arguments["dev"]
    found = call.appliance.base.disks.get(name)
    if found is None:
        raise CallError(f"{name} does not exist", 2)
    if found.pool is not None:
        raise CallError(f"{name} is in use by pool {found.pool}", 16)
    takes_s = {"QUICK": 3, "FULL": 3600, "FULL_RANDOM": 7200}[call.arguments["mode"]]
    return replace(job(takes_s, lambda _: None, f"Wiping {name}", "Wiping"), abortable=True)


def _attributes(call: Call) -> list[dict[str, Any]]:
    name = call.arguments["name"]
    found = call.appliance.state.disks.get(name)
    if found is None:
        raise CallError(f"{name} does not exist", 2)
    value = call.appliance.temperature(found, call.appliance.now_ns())
    if found.bus == "NVME" or value is None:
        raise CallError(f"{name} has no S.M.A.R.T. attributes")
    raw = {"value": value, "string": str(value)}
    flags = {"value": 34, "string": "-O---K ", "prefailure": False, "updated_online": True}
    entry = {"id": 194, "name": "Temperature_Celsius", "value": 100 - value, "worst": 40, "thresh": 0}
    return [{**entry, "when_failed": "", "flags": flags, "raw": raw}]


METHODS: Final = (
    Method("disk.query", "Disks", _rows, kind=Kind.QUERY, filterable=True, moving="never"),
    Method(
        "disk.update",
        "Set what can be set on a disk",
        _update,
        (Param("id", str), Param("disk_update", DiskUpdate)),
        kind=Kind.UPDATE,
        access=Access.WRITE,
        roles=_WRITE,
        item=True,
    ),
    Method(
        "disk.temperatures",
        "°C by disk name",
        _temperatures,
        (
            Param("names", list[str], until="25.10.0"),
            Param("options", TemperatureOptions, {}, until="25.10.0"),
            Param("name", list[str], [], since="25.10.0"),
            Param("include_thresholds", bool, default=False, since="25.10.0"),
        ),
    ),
    Method(
        "disk.temperature_agg",
        "Least, greatest and mean °C by disk name",
        _temperature_summary,
        (Param("names", list[str]), Param("days", Annotated[int, Field(ge=1, le=7)], 7)),
    ),
    Method(
        "disk.temperature_alerts",
        "Alerts about temperatures",
        lambda _call: [],
        (Param("names", list[str]),),
    ),
    Method(
        "disk.details",
        "Disks in use and free ones",
        _details,
        (Param("data", DetailOptions, {}),),
        moving="never",
    ),
    Method(
        "disk.get_used",
        "Disks in use",
        lambda call: disk.details(call.appliance, "USED"),
        (Param("join_partitions", bool, default=False),),
        moving="never",
    ),
    Method(
        "disk.get_unused",
        "Free disks",
        lambda call: disk.details(call.appliance, "UNUSED"),
        (Param("join_partitions", bool, default=False),),
        moving="never",
    ),
    Method(
        "disk.wipe",
        "Wipe a free disk",
        _wipe,
        (
            Param("dev", str),
            Param("mode", Literal["QUICK", "FULL", "FULL_RANDOM"]),
            Param("synccache", bool, default=True, until="25.04.0"),
        ),
        access=Access.WRITE,
        roles=_WRITE,
        job=True,
    ),
    Method("disk.smart_attributes", "S.M.A.R.T. attributes", _attributes, (Param("name", str),)),
)
