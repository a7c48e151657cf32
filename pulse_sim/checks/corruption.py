"""Two abort criteria on what ``/api/v2/resources`` showed: TrueNAS data corrupted, other sources interfered with.

A resource may go when its connection goes, when the connection is pointed at another appliance, or when the appliance
itself no longer has it; nothing else may make it go, and nothing may change what it is. Fed record by record; keeps
what the systems show now, and what is known of connections, appliances and variants up to now.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from pulse_sim.checks.firing import Firing
from pulse_sim.observation import Record
from pulse_sim.observation.delta import apply

IDENTITY: Final = ("type", "sourceId")
FOREIGN: Final = ("type", "sourceId", "name", "parentId", "sources")
WITHOUT: Final = "without-truenas"
KINDS_OF_TRUTH: Final = {"pool": "pools", "dataset": "datasets", "disk": "disks"}
POLLS_UNTIL_LET_GO: Final = 3
"""Successful polls after which nothing of the appliance a connection pointed at before is shown any more.

One may still be the old client's, and a snapshot that is suddenly empty is believed when a second one confirms it
(pulse-contract A4).
"""

Resource: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A connection as far as resources may go with it. ``opened_seq`` is None while the system is told not to poll.

    ``polls_since_pointed`` counts successful polls since it was pointed at another appliance; None: it never was, or
    the resources of the appliance before are gone.
    """

    system: str
    appliance: str
    opened_seq: int | None
    polls_since_pointed: float | None = None


class Topology:
    """What is known of connections, appliances and variants up to now."""

    def __init__(self) -> None:
        self.connections: dict[str, Held] = {}
        self.truths: dict[str, Mapping[str, Any]] = {}
        self._variants: dict[str, Any] = {}
        self._started_seq: dict[str, int] = {}

    def start(self, record: Record) -> None:
        """``world/start``: the connections of the file count as configured from here on."""
        for name, given in record.data["connections"].items():
            self.connections[name] = Held(given["system"], given["appliance"], record.seq)

    def started(self, record: Record) -> None:
        """``sut/started``: which variant runs, and since when."""
        self._variants[record.subject] = record.data.get("variant")
        self._started_seq[record.subject] = record.seq

    def knows_truenas(self, system: str) -> bool:
        """Whether the running version has the feature at all."""
        return bool(self._variants.get(system) != WITHOUT)

    def was_started_since(self, system: str, seq: int) -> bool:
        """Whether a system was started after the record ``seq``."""
        return self._started_seq.get(system, -1) > seq

    def act(self, record: Record) -> None:
        """``operator/action``: only what was answered 2xx has happened."""
        status, given = record.data["status"], record.data["with"]
        name, step = given.get("id"), _STEPS.get(record.data["do"])
        if step is None or status is None or not 200 <= status < 300 or not isinstance(name, str):
            return
        before = self.connections.get(name)
        if before is None and record.data["do"] != "add_connection":
            return
        self.connections[name] = step(
            before or Held(record.subject, str(given.get("appliance") or name), None), given.get("appliance"), record
        )

    def succeeded(self, connection: str, polls: float) -> None:
        """So many polls of a connection succeeded."""
        held = self.connections.get(connection)
        if polls and held is not None and held.polls_since_pointed is not None:
            self.connections[connection] = replace(held, polls_since_pointed=held.polls_since_pointed + polls)

    def let_go(self, system: str) -> None:
        """A look at a system was judged: who has polled a new appliance often enough shows nothing of the old one."""
        for name, held in self.connections.items():
            polls = held.polls_since_pointed
            if held.system == system and polls is not None and polls >= POLLS_UNTIL_LET_GO:
                self.connections[name] = replace(held, polls_since_pointed=None)


def _added(before: Held, appliance: Any, action: Record) -> Held:
    """Added again elsewhere it is as if pointed there: what was known when it was removed is kept until then."""
    return replace(_updated(before, appliance, action), system=action.subject, opened_seq=action.seq)


def _closed(before: Held, _appliance: Any, _action: Record) -> Held:
    return replace(before, opened_seq=None)


def _enabled(before: Held, _appliance: Any, action: Record) -> Held:
    return replace(before, opened_seq=action.seq)


def _updated(before: Held, appliance: Any, _action: Record) -> Held:
    if appliance is None or appliance == before.appliance:
        return before
    return replace(before, appliance=str(appliance), polls_since_pointed=0.0)


_STEPS: Final[Mapping[str, Callable[[Held, Any, Record], Held]]] = {
    "add_connection": _added,
    "remove_connection": _closed,
    "disable_connection": _closed,
    "enable_connection": _enabled,
    "update_connection": _updated,
}


class ShownResources:
    """What every system shows, look by look, judged by ``corruption`` and ``interference``."""

    def __init__(self) -> None:
        self.topology = Topology()
        self._shown: dict[str, tuple[int, Mapping[str, Resource]]] = {}

    def see(self, record: Record) -> Iterator[Firing]:
        """Judge one successful look against the one before; the first of each criterion by its words.

        Raises ValueError for differences that do not fit the look before.
        """
        system, data = record.subject, record.data
        before_seq, before = self._shown.get(system, (-1, {}))
        after = apply(before, data) if data["changed"] or data["gone"] else before
        self._shown[system] = (record.seq, after)
        if before_seq >= 0:
            touched = [key for key in (*data["changed"], *data["gone"]) if key in before]
            for criterion, find in (("corruption", self._corrupted), ("interference", self._interfered)):
                found = sorted(
                    f"{_called(before[key], key)} {what}"
                    for key in touched
                    if (what := find(record, before_seq, before[key], after.get(key))) is not None
                )
                if found:
                    yield Firing(criterion, record.time_ns, found[0], (before_seq, record.seq))
        self.topology.let_go(system)

    def _corrupted(self, record: Record, before_seq: int, resource: Resource, now: Resource | None) -> str | None:
        """A TrueNAS resource vanished while its connection stayed configured, or became another type or source id."""
        if not is_ours(resource):
            return None
        if now is not None:
            return _changed(resource, now, IDENTITY)
        return None if self._may_go(record.subject, resource, before_seq) else "vanished"

    def _interfered(self, record: Record, before_seq: int, resource: Resource, now: Resource | None) -> str | None:
        """A resource TrueNAS has no part in vanished or changed its identity; its status is its source's business.

        So is whether it comes back after a restart: that waits for its source to speak again.
        """
        if is_ours(resource):
            return None
        if now is None:
            return None if self.topology.was_started_since(record.subject, before_seq) else "vanished"
        return _changed(resource, now, FOREIGN)

    def _may_go(self, system: str, resource: Resource, before_seq: int) -> bool:
        """Whether a resource had reason to vanish since the look before."""
        topology = self.topology
        if not topology.knows_truenas(system):
            return True
        owner, _, thing = str(resource.get("sourceId")).removeprefix("system:").partition("/")
        held = topology.connections.get(owner)
        if held is None:
            return False
        if held.opened_seq is None or held.opened_seq > before_seq or held.polls_since_pointed is not None:
            return True
        kind, _, name = thing.partition(":")
        truth = topology.truths.get(held.appliance)
        if truth is None or kind not in KINDS_OF_TRUTH:
            return False
        return name not in truth.get(KINDS_OF_TRUTH[kind], {name: None})


def is_ours(resource: Resource) -> bool:
    """Whether TrueNAS is a source of a resource."""
    return "truenas" in (resource.get("sources") or ())


def _changed(before: Resource, after: Resource, fields: tuple[str, ...]) -> str | None:
    return next((f"changed its {field}" for field in fields if before.get(field) != after.get(field)), None)


def _called(resource: Resource, key: str) -> str:
    return str(resource.get("sourceId") or key)[:120]
