"""``pool.scrub.*``: scrubs by hand, and the tasks that start them (truenas-api 3.2)."""

from typing import Any, Final, Literal

from mock_truenas.api.errors import CallError, Problem
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Param
from mock_truenas.api.methods.pool import scrub
from mock_truenas.api.methods.tables import Extras, Table, Writing, crud, fields_of
from mock_truenas.appliance.model import Pool

_SCHEDULE: Final = {"minute": "00", "hour": "00", "dom": "*", "month": "*", "dow": "7"}
_TASKS: Final = Table(
    "pool.scrub",
    "Scrub Task",
    {
        "id": 1,
        "pool": 1,
        "threshold": 35,
        "description": "",
        "schedule": _SCHEDULE,
        "enabled": True,
        "pool_name": "",
    },
)
_DAY_NS: Final = 86_400_000_000_000


def _pool(call: Call, name: str) -> Pool:
    found: Pool | None = call.appliance.seen("pools", name)
    if found is None or found.status == "OFFLINE":
        raise CallError(f"Pool {name!r} not found")
    return found


def _check(call: Call, given: Any, key: Any) -> list[Problem]:
    number = given.get("pool")
    if number is not None and all(pool.id != number for pool in call.appliance.base.pools.values()):
        return [("pool", "Pool not found", 22)]
    taken = [row for row in _TASKS.kept(call.appliance).values() if row["pool"] == number and row["id"] != key]
    return [("pool", "A scrub with this pool already exists", 22)] if taken else []


def _complete(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    names = {pool.id: pool.name for pool in call.appliance.base.pools.values()}
    return {**row, "pool_name": names.get(row["pool"], "")}


def _scrub(call: Call) -> JobPlan:
    return scrub(call.appliance, _pool(call, call.arguments["name"]), call.arguments["action"])


def _run(call: Call) -> None:
    """Starts a scrub unless the last one is younger than ``threshold`` days."""
    appliance = call.appliance
    found = _pool(call, call.arguments["name"])
    scan = found.scan
    due_ns = 0 if scan is None else scan.started_at_ns + call.arguments["threshold"] * _DAY_NS
    if appliance.now_ns() >= due_ns and not (scan is not None and scan.runs_at(appliance.now_ns())):
        plan = scrub(appliance, found, "START")
        appliance.jobs.start("pool.scrub.scrub", [found.name, "START"], plan, None)


METHODS: Final = (
    *crud(
        _TASKS,
        Writing(
            "pool_scrub",
            fields_of(_TASKS.blank, "pool_name", pool=int),
            frozenset({"pool"}),
            check=_check,
        ),
        extras=Extras(roles=frozenset({"POOL_SCRUB_WRITE"}), complete=_complete),
    ),
    Method(
        "pool.scrub.scrub",
        "Start, stop or pause a scrub by the pool's name",
        _scrub,
        (Param("name", str), Param("action", Literal["START", "STOP", "PAUSE"], "START")),
        access=Access.WRITE,
        roles=frozenset({"POOL_SCRUB_WRITE"}),
        job=True,
    ),
    Method(
        "pool.scrub.run",
        "Scrub a pool unless it was scrubbed lately",
        _run,
        (Param("name", str), Param("threshold", int, 35)),
        access=Access.WRITE,
        roles=frozenset({"POOL_SCRUB_WRITE"}),
    ),
)
