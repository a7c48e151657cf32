"""``service.*``: the daemons of the appliance, whether they run, whether they start by themselves (truenas-api 3.8)."""

import errno
from collections.abc import Mapping
from typing import Any, Final, Literal

from mock_truenas.api.errors import CallError, InstanceNotFound, ValidationErrors
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import Row, Table, given_object, job, readers
from mock_truenas.appliance.nas import Appliance

TABLE: Final = Table(
    "service",
    "Service",
    {"id": 0, "service": "", "enable": False, "state": "STOPPED", "pids": []},
)
_OPTIONS: Final = {"ha_propagate": True, "silent": True, "timeout": None}
_GIVEN_OPTIONS: Final = given_object(
    "service_options", {"ha_propagate": bool, "silent": bool, "timeout": int | None}, (), _OPTIONS
)
_ROLES: Final = frozenset({"SERVICE_WRITE"})
_FIRST_PID: Final = 2100


def _rows(call: Call) -> list[Row]:
    rows = TABLE.all(call)
    if call.extra.get("include_state") is False:
        # Nobody was asked: the probes that take up to 15 s are what this option avoids.
        return [{**row, "state": "UNKNOWN", "pids": []} for row in rows]
    return rows


def _served(call: Call, row: Mapping[str, Any]) -> bool:
    return row["service"] not in call.dialect.value("services_absent")


def _here(call: Call) -> list[Row]:
    return [row for row in _rows(call) if _served(call, row)]


def _named(call: Call, name: Any, argument: str = "service") -> Mapping[str, Any]:
    for row in TABLE.kept(call.appliance).values():
        if row["service"] == name and _served(call, row):
            return row
    raise ValidationErrors.one(argument, f"{name!r} is not a valid service", errno.EINVAL)


def _set(appliance: Appliance, row: Mapping[str, Any], *, running: bool) -> None:
    state, pids = ("RUNNING", [_FIRST_PID + row["id"]]) if running else ("STOPPED", [])
    kept = TABLE.kept(appliance).get(row["id"])
    if kept is not None and kept.get("state") != state:
        appliance.change_row("service", row["id"], state=state, pids=pids)


# What a verb leaves a service in: running, stopped, or as it was.
_LEAVES: Final[Mapping[str, bool | None]] = {"START": True, "STOP": False, "RESTART": True, "RELOAD": None}


def _verb(verb: str) -> Any:
    def run(call: Call) -> bool:
        row = _named(call, call.arguments["service"])
        leaves = _LEAVES[verb]
        if leaves is not None:
            _set(call.appliance, row, running=leaves)
            return True
        return bool(row.get("state") == "RUNNING")

    return run


def _control(call: Call) -> JobPlan:
    row, leaves = _named(call, call.arguments["service"]), _LEAVES[call.arguments["verb"]]

    def finish(appliance: Appliance) -> bool:
        if leaves is not None:
            _set(appliance, row, running=leaves)
        return True

    return job(2, finish, f"{call.arguments['verb']} {row['service']}")


def _started(call: Call) -> bool:
    return bool(_named(call, call.arguments["service"]).get("state") == "RUNNING")


def _started_or_enabled(call: Call) -> bool:
    row = _named(call, call.arguments["service"])
    return bool(row.get("enable") or row.get("state") == "RUNNING")


def _update(call: Call) -> int:
    """The service may be named by its number or its name; the answer is the number."""
    wanted = call.arguments["id_or_name"]
    for row in TABLE.kept(call.appliance).values():
        if wanted in (row["id"], row["service"]) and not isinstance(wanted, bool) and _served(call, row):
            changes = call.arguments["service_update"]
            if changes:
                call.appliance.change_row("service", row["id"], **changes)
            return int(row["id"])
    raise InstanceNotFound(f"Service {wanted}")


def _end_process(call: Call) -> bool:
    pid = call.arguments["pid"]
    for row in TABLE.kept(call.appliance).values():
        if pid in row.get("pids", []):
            _set(call.appliance, row, running=False)
            return True
    raise CallError(f"Process {pid} does not exist", errno.ESRCH)


_NAME: Final = Param("service", str)
_TAKEN: Final = (
    _NAME,
    Param("service-control", _GIVEN_OPTIONS, {}, until="25.04.0"),
    Param("options", _GIVEN_OPTIONS, {}, since="25.04.0"),
)
_CHANGE: Final = given_object("service_update", {"enable": bool}, {"enable"}, {"enable": False})

METHODS: Final[tuple[Method, ...]] = (
    Method(
        "service.query",
        "Services",
        _here,
        kind=Kind.QUERY,
        roles=readers(_ROLES),
        filterable=True,
        moving="never",
    ),
    Method(
        "service.update",
        "Let a service start by itself, or not",
        _update,
        (Param("id_or_name", int | str), Param("service_update", _CHANGE)),
        kind=Kind.UPDATE,
        access=Access.WRITE,
        roles=_ROLES,
        item=True,
    ),
    *(
        Method(
            f"service.{verb.lower()}",
            f"{verb.capitalize()} a service",
            _verb(verb),
            _TAKEN,
            access=Access.WRITE,
            roles=_ROLES,
        )
        for verb in _LEAVES
    ),
    Method(
        "service.control",
        "Start, stop, restart or reload a service, as a job",
        _control,
        (Param("verb", Literal["START", "STOP", "RESTART", "RELOAD"]), *_TAKEN),
        access=Access.WRITE,
        roles=_ROLES,
        job=True,
    ),
    Method("service.started", "Whether a service runs", _started, (_NAME,), moving="never"),
    Method(
        "service.started_or_enabled",
        "Whether a service runs or will",
        _started_or_enabled,
        (_NAME,),
        moving="never",
    ),
    Method(
        "service.terminate_process",
        "End a service's process",
        _end_process,
        (Param("pid", int), Param("timeout", int, 10)),
        access=Access.WRITE,
        roles=_ROLES,
    ),
)
