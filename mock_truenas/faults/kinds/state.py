"""Faults of what the appliance is and of what runs on it, as data: pools, disks, boot, load, services, jobs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from mock_truenas.appliance.model import Disk, Pool, PoolStatus, Scan, State
from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, Keyring, Parameters, RequestParameters, Stage, Witness
from mock_truenas.faults.kinds.http import delay_witness
from mock_truenas.faults.kinds.overlays import seen_since, seen_through
from mock_truenas.faults.rows import edited, is_named
from mock_truenas.faults.target import Occasion

_CALL: Final[frozenset[Occasion]] = frozenset({"call"})
_VALUES: Final[frozenset[Occasion]] = frozenset({"call", "event"})
_ALL: Final[frozenset[Occasion]] = frozenset({"page", "request", "handshake", "call", "event"})
_POOLS: Final = "pool.*|zfs.*|boot.*|alert.list"
_ZFS: Final = "pool.*|zfs.*|boot.*"
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Down(Parameters):
    pass


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


class Booting(Parameters):
    pass


class Reboot(Parameters):
    takes: Duration = Field("2m", validate_default=True, description="How long it boots; healing ends that too")


class VersionString(RequestParameters):
    call: _Glob = Field("system.info|system.version", description="Globs of the methods that say it, separated by |")
    version: str = Field("25.04-RC.1", description="The version")


class ClockSkew(Parameters):
    by: Duration = Field("1h", validate_default=True, description="How far the appliance's clock is ahead")
    back: bool = Field(False, description="Behind instead")


class Stall(RequestParameters):
    lasts: Duration = Field("46s", validate_default=True, description="How long nothing at all is done")


class BusyZfs(RequestParameters):
    call: _Glob = Field(_ZFS, description="Globs of the methods that need the process pool, separated by |")
    delay: Duration = Field("30s", validate_default=True, description="How long each waits for a free process")


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


def _missing(parameters: "DiskMissing") -> Effect:
    def change(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [row for row in value if not is_named(row, parameters.disk)]
        if isinstance(value, Mapping):
            return {name: row for name, row in value.items() if not fnmatchcase(name, parameters.disk)}
        return value

    return Effect(change_value=change)


class DiskMissing(RequestParameters):
    call: _Glob = Field(
        "disk.query|disk.temperatures|disk.temperature_agg", description="Globs of the methods, separated by |"
    )
    disk: str = Field("*", description="Glob on the names of the disks, such as sda")


def _booting(state: State, began_ns: int) -> State:
    host = state.host
    # Another boot is another id; any change of the old one will do, and the same one each time.
    boot_id = host.boot_id[:-12] + host.boot_id[-12:].translate(str.maketrans("0123456789abcdef", "fedcba9876543210"))
    apps = {key: {**row, "state": "DEPLOYING"} for key, row in state.tables.get("app", {}).items()}
    return replace(
        state,
        host=replace(host, state="BOOTING", booted_at_ns=began_ns, boot_id=boot_id),
        pools={},
        datasets={},
        snapshots={},
        tables={**state.tables, "app": apps} if apps else state.tables,
    )


def _failover(state: State, began_ns: int) -> State:
    booted = _booting(state, began_ns)
    return replace(state, host=replace(booted.host, state="READY"))


def _reboot(parameters: Reboot) -> Effect:
    def begin(appliance: Keyring, _: str) -> None:
        appliance.reboot(takes_ns=parameters.takes)

    def end(appliance: Keyring, _: str) -> None:
        appliance.finish_boot()

    return Effect(change=begin, undo=end, cuts="all")


def _version(parameters: VersionString) -> Effect:
    def change(value: Any) -> Any:
        if isinstance(value, str):
            return parameters.version
        return edited(value, "version", lambda _: parameters.version)

    return Effect(change_value=change)


def _skewed(parameters: ClockSkew) -> Effect:
    by_ns = -parameters.by if parameters.back else parameters.by
    return seen_through(
        lambda state: replace(state, host=replace(state.host, clock_offset_ns=state.host.clock_offset_ns + by_ns))
    )


def _unknown(parameters: UnknownService) -> Effect:
    def change(value: Any) -> Any:
        stopped = edited(value, "pids", lambda _: [], rows=parameters.service)
        return edited(stopped, "state", lambda _: "UNKNOWN", rows=parameters.service)

    return Effect(delay_ns=parameters.delay, change_value=change)


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
    progress = {**(row.get("progress") or {}), "percent": 99}
    return [{**row, "state": "RUNNING", "result": None, "error": None, "time_finished": None, "progress": progress}]


KINDS: Final = (
    FaultKind(
        name="appliance.down",
        doc="Close the front door: stop listening and drop every connection.",
        parameters=Down,
        stage=Stage.REFUSE,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["reset"]},), poll_errors=("connection",)),
        effect=lambda _: Effect(closes_door=True),
    ),
    FaultKind(
        name="appliance.asleep",
        doc="Connections are accepted, and nothing is ever said on any of them, by the front or behind it.",
        parameters=RequestParameters,
        stage=Stage.DROP,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["silent"]},), poll_errors=("timeout",)),
        effect=lambda _: Effect(silent=True),
        acts_on=_ALL,
    ),
    FaultKind(
        name="appliance.stall",
        doc="One slow plugin holds up everything: from the first request on, nothing is done for a while.",
        parameters=Stall,
        stage=Stage.DELAY,
        witness=lambda parameters: Witness(
            journal=({"fault": True},), poll_errors=("timeout",), poll_slower_than_ns=max(parameters.lasts // 2, 1)
        ),
        effect=lambda parameters: Effect(stall_ns=parameters.lasts),
        acts_on=frozenset({"request", "handshake", "call"}),
    ),
    FaultKind(
        name="appliance.busy_zfs",
        doc="The process pool is exhausted: every call that needs ZFS waits, others are quick.",
        parameters=BusyZfs,
        stage=Stage.DELAY,
        witness=lambda parameters: delay_witness(parameters.delay),
        effect=lambda parameters: Effect(delay_ns=parameters.delay),
        acts_on=_CALL,
    ),
    FaultKind(
        name="appliance.booting",
        doc="It has just booted: state BOOTING, no pools yet, apps DEPLOYING, another boot id; WebSockets have ended.",
        parameters=Booting,
        stage=Stage.STATE,
        witness=_named,
        effect=lambda _: seen_since(_booting, cuts="sockets"),
        shows="system.*|pool.*|app.*|zfs.*",
    ),
    FaultKind(
        name="appliance.reboot",
        doc="It boots anew: connections are reset, uptime and boot id are new; healing ends the boot, not what it did.",
        parameters=Reboot,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("connection", "api")),
        effect=_reboot,
        shows="system.*|pool.*",
        lasting=True,
    ),
    FaultKind(
        name="appliance.failover",
        doc="The address moves to the other controller: connections are reset, sessions and boot id are others.",
        parameters=Booting,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("connection",)),
        effect=lambda _: seen_since(_failover, cuts="all"),
        shows="system.*",
    ),
    FaultKind(
        name="appliance.version_string",
        doc="The version is written in a form that parsers may not know.",
        parameters=VersionString,
        stage=Stage.BODY,
        witness=_named,
        effect=_version,
        acts_on=_CALL,
    ),
    FaultKind(
        name="appliance.clock_skew",
        doc="The appliance's clock is off: its dates are, and it complains of it in an alert.",
        parameters=ClockSkew,
        stage=Stage.STATE,
        witness=_named,
        effect=_skewed,
        shows="system.info|alert.list|core.get_jobs",
    ),
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
