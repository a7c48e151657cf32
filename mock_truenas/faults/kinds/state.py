"""Faults of what the machine holds and runs, as data: pools, disks, services, reports, jobs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from mock_truenas.appliance.model import Disk, Pool, PoolStatus, Scan, State
from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, Parameters, RequestParameters, Stage, Witness
from mock_truenas.faults.kinds.http import delay_witness
from mock_truenas.faults.kinds.overlays import seen_since, seen_through
from mock_truenas.faults.rows import edited, is_named
from mock_truenas.faults.target import Occasion

_CALL: Final[frozenset[Occasion]] = frozenset({"call"})
_VALUES: Final[frozenset[Occasion]] = frozenset({"call", "event"})
_POOLS: Final = "pool.*|zfs.*|boot.*|alert.list"
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Exported(Parameters):
    pool: str = Field("*", description="Glob on the names of the pools")


class Status(Exported):
    status: Literal["ONLINE", "DEGRADED", "FAULTED", "UNAVAIL", "SUSPENDED"] = Field(
        "DEGRADED", description="State of the pools"
    )
    code: str = Field("MISSING_DEV_R", description="Status code, such as FAILING_DEV")


class Scrubbing(Exported):
    takes: Duration = Field("10h", validate_default=True, description="How long the scrub takes in all")
    done: Annotated[float, Field(ge=0, lt=1)] = Field(0.4, description="The part of it that is done as it begins")


class Disks(Parameters):
    disk: str = Field("*", description="Glob on the names of the disks, such as sda")


class DiskMissing(RequestParameters):
    call: _Glob = Field(
        "disk.query|disk.temperatures|disk.temperature_agg", description="Globs of the methods, separated by |"
    )
    disk: str = Field("*", description="Glob on the names of the disks, such as sda")


class UnknownService(RequestParameters):
    call: _Glob = Field("service.query", description="Glob on the API method; several are separated by |")
    service: str = Field("*", description="Glob on the names of the services")
    delay: Duration = Field("15s", validate_default=True, description="How long the probe tries")


class ReportingGaps(RequestParameters):
    call: _Glob = Field("reporting.*get_data", description="Glob on the API method; several are separated by |")
    form: Literal["no_means", "null_means", "no_data", "no_graphs"] = Field(
        "no_means", description="Means are missing or null, rows have no data, or graphs are missing altogether"
    )


class ReportingNotReady(RequestParameters):
    call: _Glob = Field("reporting.realtime*", description="Glob on the collection; several are separated by |")
    form: Literal["said", "silence"] = Field("said", description="The event says so (24.x, 25.04), or none is sent")


class Jobs(RequestParameters):
    call: _Glob = Field("core.get_jobs", description="Glob on the API method or collection; several separated by |")
    job: str = Field("*", description="Glob on the methods the jobs run")


def _named(_: Any) -> Witness:
    return Witness(journal=({"fault": True},))


def _pools(pattern: str, change: Callable[[Pool], Pool]) -> Callable[[State], State]:
    def seen(state: State) -> State:
        return replace(
            state,
            pools={name: change(pool) if fnmatchcase(name, pattern) else pool for name, pool in state.pools.items()},
        )

    return seen


def _exported(parameters: Exported) -> Effect:
    def seen(state: State) -> State:
        shown = _pools(parameters.pool, lambda pool: replace(pool, status="OFFLINE"))(state)
        return replace(
            shown,
            datasets={name: one for name, one in shown.datasets.items() if not fnmatchcase(one.pool, parameters.pool)},
            snapshots={
                name: one for name, one in shown.snapshots.items() if not fnmatchcase(one.pool, parameters.pool)
            },
        )

    return seen_through(seen)


def _status(parameters: Status) -> Effect:
    status: PoolStatus = parameters.status
    return seen_through(_pools(parameters.pool, lambda pool: replace(pool, status=status, status_code=parameters.code)))


def _scrubbing(parameters: Scrubbing) -> Effect:
    def seen(state: State, began_ns: int) -> State:
        started_ns = began_ns - int(parameters.takes * parameters.done)
        return _pools(
            parameters.pool,
            lambda pool: replace(pool, scan=Scan("SCRUB", started_ns, parameters.takes, pool.allocated)),
        )(state)

    return seen_since(seen)


def _no_temperature(parameters: Disks) -> Effect:
    def change(disk: Disk) -> Disk:
        return replace(disk, temperature=None) if fnmatchcase(disk.name, parameters.disk) else disk

    return seen_through(lambda state: replace(state, disks={name: change(disk) for name, disk in state.disks.items()}))


def _missing(parameters: DiskMissing) -> Effect:
    def change(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [row for row in value if not is_named(row, parameters.disk)]
        if isinstance(value, Mapping):
            return {name: row for name, row in value.items() if not fnmatchcase(name, parameters.disk)}
        return value

    return Effect(change_value=change)


def _unknown(parameters: UnknownService) -> Effect:
    def change(value: Any) -> Any:
        stopped = edited(value, "pids", lambda _: [], rows=parameters.service)
        return edited(stopped, "state", lambda _: "UNKNOWN", rows=parameters.service)

    return Effect(delay_ns=parameters.delay, in_method=True, change_value=change)


def _gaps(parameters: ReportingGaps) -> Effect:
    changes: Mapping[str, Callable[[Any], Any]] = {
        "no_means": lambda value: edited(value, "aggregations.mean", lambda _: {}),
        "null_means": lambda value: edited(value, "aggregations.mean.*", lambda _: None),
        "no_data": lambda value: edited(value, "data", lambda _: []),
        "no_graphs": lambda value: [] if isinstance(value, list | tuple) else value,
    }
    return Effect(change_value=changes[parameters.form])


def _not_ready(parameters: ReportingNotReady) -> Effect:
    if parameters.form == "silence":
        return Effect(silent=True)
    return Effect(change_value=lambda _: {"failed_to_connect": True})


def _jobs(parameters: Jobs, change: Callable[[Mapping[str, Any]], list[Any]]) -> Effect:
    def changed(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [made for row in value for made in (change(row) if meant(row) else [row])]
        if meant(value):
            kept = change(value)
            return kept[0] if kept else value
        return value

    def meant(row: Any) -> bool:
        return isinstance(row, Mapping) and fnmatchcase(str(row.get("method", "")), parameters.job)

    return Effect(change_value=changed)


def _running(row: Mapping[str, Any]) -> list[Any]:
    if row.get("state") not in ("SUCCESS", "FAILED", "ABORTED"):
        return [row]
    shown = row.get("progress")
    progress = {**(shown if isinstance(shown, Mapping) else {}), "percent": 99}
    return [{**row, "state": "RUNNING", "result": None, "error": None, "time_finished": None, "progress": progress}]


KINDS: Final = (
    FaultKind(
        name="pool.exported",
        doc="Pools are exported: OFFLINE, without numbers, topology, scan and datasets.",
        parameters=Exported,
        stage=Stage.STATE,
        witness=_named,
        effect=_exported,
        shows=_POOLS,
    ),
    FaultKind(
        name="pool.status",
        doc="Pools are in another state, such as DEGRADED or SUSPENDED.",
        parameters=Status,
        stage=Stage.STATE,
        witness=_named,
        effect=_status,
        shows=_POOLS,
    ),
    FaultKind(
        name="pool.scrub_running",
        doc="A scrub is under way on pools; it goes on with the clock.",
        parameters=Scrubbing,
        stage=Stage.STATE,
        witness=_named,
        effect=_scrubbing,
        shows=_POOLS,
    ),
    FaultKind(
        name="disk.no_temperature",
        doc="No temperature can be read of disks, as of sleeping ones and of those behind USB.",
        parameters=Disks,
        stage=Stage.STATE,
        witness=_named,
        effect=_no_temperature,
        shows="disk.*|reporting.*",
    ),
    FaultKind(
        name="disk.missing",
        doc="Disks are missing from listings.",
        parameters=DiskMissing,
        stage=Stage.BODY,
        witness=_named,
        effect=_missing,
        acts_on=_CALL,
    ),
    FaultKind(
        name="service.unknown",
        doc="The state of services is UNKNOWN, after the probe has tried in vain.",
        parameters=UnknownService,
        stage=Stage.DELAY,
        witness=lambda parameters: delay_witness(parameters.delay),
        effect=_unknown,
        acts_on=_CALL,
    ),
    FaultKind(
        name="reporting.gaps",
        doc="Reports have gaps: means, data or whole graphs are not there.",
        parameters=ReportingGaps,
        stage=Stage.BODY,
        witness=_named,
        effect=_gaps,
        acts_on=_CALL,
    ),
    FaultKind(
        name="reporting.not_ready",
        doc="The collector of realtime figures is not up yet.",
        parameters=ReportingNotReady,
        stage=Stage.BODY,
        witness=_named,
        effect=_not_ready,
        acts_on=frozenset({"event"}),
    ),
    FaultKind(
        name="job.endless",
        doc="Jobs never end for whoever looks: they stay RUNNING in listings and events.",
        parameters=Jobs,
        stage=Stage.BODY,
        witness=_named,
        effect=lambda parameters: _jobs(parameters, _running),
        acts_on=_VALUES,
    ),
    FaultKind(
        name="job.lost",
        doc="Jobs are forgotten, as after a restart: listings are without them.",
        parameters=Jobs,
        stage=Stage.BODY,
        witness=_named,
        effect=lambda parameters: _jobs(parameters, lambda _: []),
        acts_on=_CALL,
    ),
)
