"""Faults of the machine as a whole, as data: power, boot, load, version, clock."""

from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from mock_truenas.appliance.model import State
from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, Keyring, Parameters, RequestParameters, Stage, Witness
from mock_truenas.faults.kinds.http import delay_witness
from mock_truenas.faults.kinds.overlays import seen_since, seen_through
from mock_truenas.faults.rows import edited
from mock_truenas.faults.target import Occasion

_CALL: Final[frozenset[Occasion]] = frozenset({"call"})
_ALL: Final[frozenset[Occasion]] = frozenset({"page", "request", "handshake", "call", "event"})
_ZFS: Final = "pool.*|zfs.*|boot.*"
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Down(Parameters):
    pass


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


def _named(_: Any) -> Witness:
    return Witness(journal=({"fault": True},))


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
        effect=lambda parameters: Effect(stall_ns=parameters.lasts, in_method=True),
        acts_on=frozenset({"request", "handshake", "call"}),
    ),
    FaultKind(
        name="appliance.busy_zfs",
        doc="The process pool is exhausted: every call that needs ZFS waits, others are quick.",
        parameters=BusyZfs,
        stage=Stage.DELAY,
        witness=lambda parameters: delay_witness(parameters.delay),
        effect=lambda parameters: Effect(delay_ns=parameters.delay, in_method=True),
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
)
