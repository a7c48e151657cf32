"""Shutting down and coming up again. Until the pools are imported nothing of theirs is seen; apps are still deploying.

How many seconds a client finds nobody is the faces' business: they ask ``host.answers``.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from mock_truenas.appliance.changes import Change
from mock_truenas.appliance.living import Living
from mock_truenas.appliance.model import Row, State

_IMPORTED: Final = 0.6
"""The part of a boot after which pools are there."""


class Boot:
    """The phase one appliance is in. A look at the state goes through it last of all."""

    def __init__(self, appliance: Living) -> None:
        self._appliance = appliance
        self._veil: Callable[[State], State] | None = None

    @property
    def runs(self) -> bool:
        """Whether not everything is up."""
        return self._veil is not None

    def seen(self, state: State) -> State:
        """The state as far as it is up."""
        return state if self._veil is None else self._veil(state)

    def reboot(self, now_ns: int, takes_ns: int, down_ns: int) -> None:
        """Begin to boot."""
        appliance = self._appliance
        up_ns = now_ns + down_ns
        self._forget()
        appliance.tell(Change("system.reboot", "added", None))
        appliance.lose_jobs()
        self._veil = _without_pools
        appliance.change_host(
            state="BOOTING" if down_ns == 0 else "SHUTTING_DOWN",
            answers=down_ns == 0,
            booted_at_ns=up_ns,
            boot_id=appliance.new_uuid("boot", up_ns),
        )
        if down_ns:
            appliance.schedule.at(up_ns, "boot", lambda _: appliance.change_host(state="BOOTING", answers=True))
        appliance.schedule.at(up_ns + round(takes_ns * _IMPORTED), "boot import", self._import)
        appliance.schedule.at(up_ns + takes_ns, "boot ready", self.finish)

    def shut_down(self) -> None:
        """Go down and stay down."""
        self._forget()
        self._appliance.tell(Change("system.shutdown", "added", None))
        self._appliance.lose_jobs()
        self._veil = _without_pools
        self._appliance.change_host(state="SHUTTING_DOWN", answers=False)

    def finish(self, _: int) -> None:
        """Be up."""
        self._forget()
        self._veil = None
        self._appliance.change_host(state="READY", answers=True)

    def _import(self, _: int) -> None:
        self._veil = _while_apps_deploy
        self._appliance.change()

    def _forget(self) -> None:
        for name in ("boot", "boot import", "boot ready"):
            self._appliance.schedule.cancel(name)


def _without_pools(state: State) -> State:
    return replace(_while_apps_deploy(state), pools={}, datasets={}, snapshots={})


def _while_apps_deploy(state: State) -> State:
    """Whatever runs on pools is not up yet."""
    tables = dict(state.tables)
    for name, restarting in _RESTARTING.items():
        if name in tables:
            tables[name] = {key: restarting(row) for key, row in tables[name].items()}
    return replace(state, tables=tables)


def _app(row: Row) -> Row:
    return {**row, "state": "DEPLOYING"} if row.get("state") == "RUNNING" else row


def _vm(row: Row) -> Row:
    status = row.get("status")
    if not isinstance(status, Mapping) or status.get("state") != "RUNNING":
        return row
    return {**row, "status": {**status, "state": "STOPPED", "pid": None, "domain_state": "SHUTOFF"}}


def _instance(row: Row) -> Row:
    return {**row, "status": "STOPPED"} if row.get("status") == "RUNNING" else row


_RESTARTING: Final[Mapping[str, Callable[[Row], Any]]] = {
    "app": _app,
    "vm": _vm,
    "virt.instance": _instance,
    "container": _vm,
}
