"""What can be made out of a scenario's plain data before anything is known to be right: names, windows, lengths.

Answers None for what cannot be read; judges nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulse_sim.scenario.problem import Path
from pulse_sim.units import MINUTE, parse_duration

DEFAULT_POLL_INTERVAL_NS: Final = MINUTE


def mapping(value: Any) -> dict[str, Any]:
    """``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def nanoseconds(value: Any) -> int | None:
    """A duration as written, None when it is none."""
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


class Outline:
    """Names and times of one scenario's plain data."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._names: dict[str, set[str]] = {}
        self._given: dict[str, Any] | None = None
        self.duration_ns = nanoseconds(data.get("duration"))

    def entries(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The timeline's entries that are mappings."""
        for position, entry in enumerate(sequence(self._data.get("timeline"))):
            if isinstance(entry, dict):
                yield ("timeline", position), entry

    def names(self, group: str) -> set[str]:
        """Ids of ``appliances``, ``systems``, or ``connections``, those added on the way included."""
        if group not in self._names:
            names = set(mapping(self._data.get(group)))
            if group == "systems":
                names = names or {"pulse"}
            if group == "connections":
                names |= {name for name, _ in self._added()}
            self._names[group] = names
        return self._names[group]

    def system_of(self, connection: str) -> str:
        """The system that polls a connection, pulse when nothing is said."""
        if self._given is None:
            self._given = {**dict(self._added()), **mapping(self._data.get("connections"))}
        system = mapping(self._given.get(connection)).get("system", "pulse")
        return system if isinstance(system, str) else "pulse"

    def poll_intervals(self) -> list[int]:
        """Every poll interval a connection has at some time."""
        connections = [mapping(connection) for connection in mapping(self._data.get("connections")).values()]
        connections += [given for _, given in self._added()]
        changed = [mapping(entry.get("with")) for _, entry in self.entries() if entry.get("do") == "update_connection"]
        read = [nanoseconds(given.get("poll_interval", "1m")) for given in connections]
        read += [nanoseconds(given.get("poll_interval")) for given in changed]
        return [interval for interval in read if interval is not None]

    def end_of(self, entry: Mapping[str, Any]) -> int | None:
        """When the last window of a fault entry ends; None for actions and for what cannot be read."""
        at, length = nanoseconds(entry.get("at")), nanoseconds(entry.get("for"))
        if at is None or length is None or "do" in entry:
            return None
        repeat = mapping(entry.get("repeat"))
        every, times = nanoseconds(repeat.get("every")), repeat.get("times")
        if every is not None and isinstance(times, int) and times > 1:
            at += every * (times - 1)
        return at + length

    def _added(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for _, entry in self.entries():
            given = mapping(entry.get("with"))
            if entry.get("do") == "add_connection" and isinstance(given.get("id"), str):
                yield given["id"], {**given, "system": entry.get("system", "pulse")}
