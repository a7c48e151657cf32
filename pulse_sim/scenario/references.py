"""Whether the parts of a scenario fit together: ids that exist, kinds that exist, times inside the run.

Looks at plain data, whatever its shape, so that one mistake hides no other; wrong shapes are the model's to report.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.scenario.actions import ACTIONS, WITHOUT_CONNECTION
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS
from pulse_sim.scenario.model import criteria_of
from pulse_sim.scenario.outline import DEFAULT_POLL_INTERVAL_NS, Outline, mapping, nanoseconds, sequence
from pulse_sim.scenario.problem import Finding, Path, nearest, one_of, shown
from pulse_sim.scenario.resolution import entry_id
from pulse_sim.scenario.validation import validate
from pulse_sim.scenario.vocabulary import WORLD_ENVIRONMENT, WORLD_HOSTS
from pulse_sim.units import MINUTE, format_duration

SETTLE_FLOOR_NS: Final = 6 * MINUTE
"""What must follow the last window, besides two poll intervals (DESIGN R8)."""

MAX_WINDOWS: Final = 10_000
MAX_REPEATED_ID: Final = 150

_NAMED: Final = {"connection": "connections", "appliance": "appliances", "system": "systems"}
_LISTED: Final = {"connections": "connections", "undisturbed": "connections", "appliances": "appliances"}
_MOMENTS: Final = ("by", "at", "after")


class References:
    """Findings over one scenario's plain data; ``texts`` as in :func:`pulse_sim.scenario.validation.validate`."""

    def __init__(self, data: Mapping[str, Any], texts: Mapping[Path, str], world: str | None) -> None:
        self.outline = Outline(data)
        self.data = data
        self.texts = texts
        self.world = world

    def findings(self) -> Iterator[Finding]:
        """Everything that does not fit, in no particular order."""
        yield from self._hosts()
        yield from self._systems()
        yield from self._connections()
        for path, entry in self.outline.entries():
            yield from self._fault(path, entry) if "fault" in entry else self._action(path, entry)
        yield from self._connections_over_time()
        yield from self._entry_ids()
        yield from self._windows_in_all()
        yield from self._settling()
        yield from self._abort()
        yield from self._rollback()
        for position, entry in enumerate(sequence(self.data.get("checks"))):
            if isinstance(entry, dict):
                yield from self._check(("checks", position), entry)

    def _known(self, group: str, path: Path, given: Any, what: str) -> Iterator[Finding]:
        known = self.outline.names(group)
        if isinstance(given, str) and given not in known:
            yield Finding(path, f"unknown {what} {shown(given)}{one_of(known)}", nearest(given, known))

    def _parameters(self, path: Path, model: Any, given: Mapping[str, Any]) -> Iterator[Finding]:
        found = validate(model, dict(given), self.texts, path)
        yield from found if isinstance(found, list) else ()

    def _hosts(self) -> Iterator[Finding]:
        """Systems and appliances share one network, where a name is one host."""
        for group, taken in (("systems", WORLD_HOSTS), ("appliances", WORLD_HOSTS | self.outline.names("systems"))):
            for name in mapping(self.data.get(group)).keys() & taken:
                whose = "the world" if name in WORLD_HOSTS else "a system"
                yield Finding((group, name), f"{shown(name)} is the name of {whose}; choose another", on_key=True)

    def _systems(self) -> Iterator[Finding]:
        for name, system in mapping(self.data.get("systems")).items():
            for variable in mapping(mapping(system).get("environment")):
                if variable in WORLD_ENVIRONMENT:
                    path = ("systems", name, "environment", variable)
                    yield Finding(path, f"{variable} is set by the world, not by a scenario", on_key=True)

    def _connections(self) -> Iterator[Finding]:
        for name, connection in mapping(self.data.get("connections")).items():
            given = mapping(connection)
            path = ("connections", name)
            yield from self._known("appliances", (*path, "appliance"), given.get("appliance"), "appliance")
            yield from self._known("systems", (*path, "system"), given.get("system", "pulse"), "system")

    def _fault(self, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
        name = entry.get("fault")
        kind = ALL_FAULT_KINDS.get(name) if isinstance(name, str) else None
        target = kind.target if kind is not None else "appliance"
        yield from self._known(f"{target}s", (*path, "on"), entry.get("on"), target)
        yield from self._windows(path, entry)
        if not isinstance(name, str):
            return
        if kind is None:
            known = ALL_FAULT_KINDS
            yield Finding((*path, "fault"), f"unknown fault kind {shown(name)}{one_of(known)}", nearest(name, known))
            return
        if not kind.worlds or (self.world is not None and self.world not in kind.worlds):
            where = f"in the {self.world} world" if kind.worlds else "in any world yet"
            yield Finding((*path, "fault"), f"fault kind {name} is not supported {where}")
        appliance = mapping(mapping(self.data.get("appliances")).get(str(entry.get("on"))))
        if kind.needs_tls and appliance and appliance.get("tls", False) is False:
            yield Finding((*path, "fault"), f"fault kind {name} needs an appliance with tls: true")
        if isinstance(entry.get("with", {}), dict):
            yield from self._parameters((*path, "with"), kind.parameters, entry.get("with", {}))

    def _windows(self, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
        length, every = nanoseconds(entry.get("for")), nanoseconds(mapping(entry.get("repeat")).get("every"))
        if length is not None and every is not None and every <= length:
            message = f"every {format_duration(every)} leaves no gap between windows of {format_duration(length)}"
            yield Finding((*path, "repeat", "every"), message)
        end, duration = self.outline.end_of(entry), self.outline.duration_ns
        if end is not None and duration is not None and end > duration:
            run, last = format_duration(duration), format_duration(end)
            where = (*path, "repeat") if every is not None else (*path, "for")
            yield Finding(where, f"the window ends at {last}, past the end of the run at {run}")

    def _action(self, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
        at, duration = nanoseconds(entry.get("at")), self.outline.duration_ns
        if at is not None and duration is not None and at >= duration:
            yield Finding((*path, "at"), f"not before the end of the run at {format_duration(duration)}")
        yield from self._known("systems", (*path, "system"), entry.get("system"), "system")
        yield from self._done(path, entry)

    def _done(self, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
        """What an action is and does, whenever it is done."""
        name = entry.get("do")
        if not isinstance(name, str):
            return
        action = ACTIONS.get(name)
        if action is None:
            yield Finding((*path, "do"), f"unknown action {shown(name)}{one_of(ACTIONS)}", nearest(name, ACTIONS))
            return
        given = entry.get("with", {})
        if not isinstance(given, dict):
            return
        yield from self._parameters((*path, "with"), action.parameters, given)
        yield from self._known("appliances", (*path, "with", "appliance"), given.get("appliance"), "appliance")
        if action.name == "update_connection" and given.keys() <= {"id"}:
            yield Finding((*path, "with"), "update_connection changes nothing")
        if action.name in WITHOUT_CONNECTION and "system" not in entry:
            yield from self._known("systems", path, "pulse", "system")
        for variable in WORLD_ENVIRONMENT & mapping(given.get("environment")).keys():
            where = (*path, "with", "environment", variable)
            yield Finding(where, f"{variable} is set by the world, not by a scenario", on_key=True)

    def _connections_over_time(self) -> Iterator[Finding]:
        """Actions on connections in the order of time: nothing is added twice or touched before or after its life."""
        present = {name: self.outline.system_of(name) for name in mapping(self.data.get("connections"))}
        for path, entry in sorted(self.outline.entries(), key=lambda item: nanoseconds(item[1].get("at")) or 0):
            action = ACTIONS.get(str(entry.get("do")))
            name = mapping(entry.get("with")).get("id")
            if action is None or action.effect is None or not isinstance(name, str):
                continue
            where = (*path, "with", "id")
            if action.effect == "add":
                if name in present:
                    yield Finding(where, f"connection {shown(name)} exists already at that time")
                present[name] = entry.get("system", "pulse")
                continue
            if name not in present:
                known = self.outline.names("connections")
                if name in known:
                    yield Finding(where, f"connection {shown(name)} does not exist at that time")
                else:
                    yield from self._known("connections", where, name, "connection")
                continue
            if entry.get("system", present[name]) != present[name]:
                message = f"connection {shown(name)} belongs to system {shown(present[name])}"
                yield Finding((*path, "system"), message)
            if action.effect == "remove":
                del present[name]

    def _entry_ids(self) -> Iterator[Finding]:
        first: dict[str, Path] = {}
        for path, entry in self.outline.entries():
            name = entry_id(entry)
            if name is None:
                continue
            if name not in first:
                first[name] = path
            elif "id" in entry:
                where = f"timeline[{first[name][1]}]"
                yield Finding((*path, "id"), f"duplicate id {shown(name)}, already that of {where}")
            else:
                message = f"the same as timeline[{first[name][1]}] at the same time; give one of them an id"
                yield Finding(path, message)

    def _windows_in_all(self) -> Iterator[Finding]:
        count = 0
        for path, entry in self.outline.entries():
            repeat = mapping(entry.get("repeat"))
            times = repeat.get("times", 1)
            count += times if isinstance(times, int) else 1
            if repeat and len(str(entry_id(entry))) > MAX_REPEATED_ID:
                yield Finding((*path, "id"), f"longer than {MAX_REPEATED_ID} characters, and repeated")
        if count > MAX_WINDOWS:
            yield Finding(("timeline",), f"{count} windows are more than {MAX_WINDOWS}", on_key=True)

    def _settling(self) -> Iterator[Finding]:
        ends = [
            (end, path) for path, entry in self.outline.entries() if (end := self.outline.end_of(entry)) is not None
        ]
        duration = self.outline.duration_ns
        if not ends or duration is None:
            return
        last, path = max(ends, key=lambda item: item[0])
        interval = max(self.outline.poll_intervals(), default=DEFAULT_POLL_INTERVAL_NS)
        needed = last + 2 * interval + SETTLE_FLOOR_NS
        if last <= duration < needed:
            message = (
                f"the run ends {format_duration(duration - last)} after the last window (timeline[{path[1]}], "
                f"until {format_duration(last)}); two poll intervals and 6m must follow it"
            )
            yield Finding(("duration",), message, format_duration(needed))

    def _abort(self) -> Iterator[Finding]:
        abort, expected = self.data.get("abort"), mapping(self.data.get("expect_abort")).get("criterion")
        if not isinstance(expected, str) or not isinstance(abort, str | list):
            return
        criteria = criteria_of([name for name in abort if isinstance(name, str)] if isinstance(abort, list) else abort)
        if expected not in criteria:
            where = ("expect_abort", "criterion")
            yield Finding(where, f"{shown(expected)} is not among the criteria of abort", nearest(expected, criteria))

    def _rollback(self) -> Iterator[Finding]:
        """What is done after an abort; nothing is known of when that is."""
        entries = sequence(self.data.get("rollback"))
        if entries and self.data.get("abort") == "none":
            yield Finding(("rollback",), "nothing aborts a run with abort: none", on_key=True)
        if "settle_after_abort" in self.data and not entries:
            yield Finding(("settle_after_abort",), "there is no rollback for it to follow", on_key=True)
        for position, entry in enumerate(entries):
            path = ("rollback", position)
            given = mapping(entry)
            yield from self._known("systems", (*path, "system"), given.get("system"), "system")
            yield from self._done(path, given)
            action = ACTIONS.get(str(given.get("do")))
            if action is not None and action.effect not in (None, "add"):
                name = mapping(given.get("with")).get("id")
                yield from self._known("connections", (*path, "with", "id"), name, "connection")

    def _check(self, path: Path, entry: dict[str, Any]) -> Iterator[Finding]:
        name = entry.get("check")
        if "check" not in entry:
            slip = nearest("check", entry)
            if slip is not None:
                yield Finding((*path, slip), f"unknown key {shown(slip)}", "check", on_key=True)
            else:
                yield Finding(path, "missing key 'check'")
            return
        if not isinstance(name, str):
            yield Finding((*path, "check"), f"must be text, not {shown(name)}")
            return
        kind = CHECK_KINDS.get(name)
        if kind is None:
            message = f"unknown check {shown(name)}{one_of(CHECK_KINDS)}"
            yield Finding((*path, "check"), message, nearest(name, CHECK_KINDS))
            return
        given = {key: value for key, value in entry.items() if key != "check"}
        if name == "rolled_back" and not (self.data.get("rollback") and self.data.get("expect_abort")):
            yield Finding((*path, "check"), "rolled_back needs a rollback and an expect_abort")
        yield from self._parameters(path, kind.parameters, given)
        yield from self._check_names(path, given)
        yield from self._check_times(path, given)

    def _check_names(self, path: Path, given: Mapping[str, Any]) -> Iterator[Finding]:
        for key, group in _NAMED.items():
            yield from self._known(group, (*path, key), given.get(key), key)
        for key, group in _LISTED.items():
            for position, name in enumerate(sequence(given.get(key))):
                yield from self._known(group, (*path, key, position), name, group[:-1])
        resource = given.get("resource")
        if isinstance(resource, str):
            yield from self._known("connections", (*path, "resource"), resource.split("/")[0], "connection")

    def _check_times(self, path: Path, given: Mapping[str, Any]) -> Iterator[Finding]:
        places: Iterable[tuple[Path, Any]] = [((*path, key), given.get(key)) for key in _MOMENTS]
        window = sequence(given.get("between"))
        places = [*places, *(((*path, "between", position), at) for position, at in enumerate(window))]
        duration = self.outline.duration_ns
        for where, value in places:
            at = nanoseconds(value)
            if at is not None and duration is not None and at > duration:
                yield Finding(where, f"{format_duration(at)} is past the end of the run at {format_duration(duration)}")
