"""Looks at a system as an operator would, through its public pages, and records what changed since the last look."""

import json
from typing import Any, Final

from pulse_sim.observation import Source
from pulse_sim.observation.delta import difference
from pulse_sim.observation.series import SeriesName
from pulse_sim.sut.protocol import Answer, SystemFailure, SystemUnderTest
from pulse_sim.world.protocol import Observe

PAGE_LIMIT: Final = 100
PAGES_AT_MOST: Final = 200
LAST_SUCCESS: Final = "pulse_monitor_poll_last_success_timestamp"
RESOURCE_FIELDS: Final = ("type", "name", "status", "sources", "sourceStatus", "parentId")
FACTS: Final = (
    ("identity", ("hostname", "serial", "model")),
    ("host", ("version",)),
    ("storage", ("kind", "health", "healthy", "readErrors", "writeErrors", "checksumErrors", "scan")),
    ("storage", ("pool", "mountpoint", "locked", "readonly")),
    ("physicalDisk", ("pool", "kind", "bus", "vdevStatus", "temperatureCelsius")),
    ("metrics", ("disk", "sizeBytes")),
)
"""What is kept of a resource beyond its identity: what the truth of an appliance can be held against. Not what moves
with every poll, such as load and uptime, nor what follows from the rest, such as percentages.
"""
DERIVED: Final = ("percentage", "usedPercent")
ALERT_FIELDS: Final = ("rule", "state", "severity", "instance", "sourceId", "raisedAt")
UNREACHABLE: Final = (ConnectionError, TimeoutError, SystemFailure)
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Sampler:
    """The observer of one system. Each look is one record holding the difference from the look before."""

    def __init__(self, name: str, system: SystemUnderTest, observe: Observe) -> None:
        self._name = name
        self._system = system
        self._observe = observe
        self._last: dict[str, dict[str, Any]] = {}

    async def metrics(self) -> None:
        """One scrape of ``/metrics``."""

        async def look() -> tuple[int, dict[str, Any]]:
            answer = await self._system.scrape()
            return answer.status, series_of(answer.body.decode("utf-8")) if answer.status == 200 else {}

        await self._take("metrics", look)

    async def state(self) -> None:
        """Health, resources, connections and active alerts, one after the other."""
        await self._take("health", self._health)
        await self._take("resources", self._resources)
        await self._take("connections", self._connections)
        await self._take("alerts", self._alerts)

    def saw_success_of(self, connection: str) -> bool:
        """Whether the last scrape showed at least one successful poll of a connection."""
        wanted = {"instance": connection, "instance_type": "truenas"}
        for text, value in self._last.get("metrics", {}).items():
            series = SeriesName.parse(text) if text.startswith(LAST_SUCCESS) else None
            if series is not None and (series.name, series.labels) == (LAST_SUCCESS, wanted):
                return _is_positive(value)
        return False

    async def _take(self, kind: str, look: Any) -> None:
        status: int | None = None
        error: str | None = None
        seen: dict[str, Any] | None = None
        try:
            status, seen = await look()
        except (*UNREACHABLE, *UNREADABLE) as failure:
            error = type(failure).__name__
        try:
            self._note(kind, status, error, seen if status == 200 else None)
        except ValueError as refusal:  # the log does not take what the system showed: NaN, other types, too much of it
            self._note(kind, None, type(refusal).__name__, None)

    def _note(self, kind: str, status: int | None, error: str | None, seen: dict[str, Any] | None) -> None:
        data: dict[str, Any] = {"status": status, "error": error}
        if kind != "health":
            before = self._last.get(kind, {})
            data |= difference(before, before if seen is None else seen)
        self._observe(Source.SAMPLER, kind, self._name, data)
        if seen is not None:
            self._last[kind] = seen

    async def _health(self) -> tuple[int, dict[str, Any]]:
        return (await self._system.request("GET", "/api/health")).status, {}

    async def _resources(self) -> tuple[int, dict[str, Any]]:
        found: dict[str, Any] = {}
        for page in range(1, PAGES_AT_MOST + 1):
            answer = await self._system.request("GET", f"/api/v2/resources?page={page}&limit={PAGE_LIMIT}")
            if answer.status != 200:
                return answer.status, {}
            body = _json(answer)
            for name, resource in _rows(body["data"]):
                kept = {field: resource.get(field) for field in RESOURCE_FIELDS}
                found[name] = {**kept, "sourceId": (resource.get("identity") or {}).get("sourceId"), **_told(resource)}
            if page >= body["meta"]["totalPages"]:
                return 200, found
        raise ValueError(f"more than {PAGES_AT_MOST} pages of resources")

    async def _connections(self) -> tuple[int, dict[str, Any]]:
        answer = await self._system.request("GET", "/api/truenas/connections")
        if answer.status != 200:
            return answer.status, {}
        rows = _rows(_json(answer))
        return 200, {name: {"enabled": row.get("enabled"), "poll": row.get("poll")} for name, row in rows}

    async def _alerts(self) -> tuple[int, dict[str, Any]]:
        answer = await self._system.request("GET", "/api/alerts/active")
        if answer.status != 200:
            return answer.status, {}
        rows = _rows(_json(answer))
        return 200, {name: {field: row.get(field) for field in ALERT_FIELDS} for name, row in rows}


def series_of(page: str) -> dict[str, str]:
    """The samples of a text exposition by series, values as written; comments left out.

    Raises ValueError for a line that is no sample.
    """
    found = {}
    for line in page.split("\n"):
        if line and line[0] != "#":
            series, space, value = line.rpartition(" ")
            if not space:
                raise ValueError("a line of the metrics page is no sample")
            found[series] = value
    return found


def _told(resource: Any) -> dict[str, Any]:
    """The facts of a resource that it tells at all, and the alerts it bears."""
    facts = {}
    for group, names in FACTS:
        inside = resource.get(group)
        for name in names if isinstance(inside, dict) else ():
            if name in inside:
                facts[name] = _without_derived(inside[name])
    alerts = resource.get("alerts") or ()
    return {
        "facts": facts,
        "alerts": [{name: alert.get(name) for name in ("id", "severity", "class")} for alert in alerts],
    }


def _without_derived(value: Any) -> Any:
    return {key: part for key, part in value.items() if key not in DERIVED} if isinstance(value, dict) else value


def _is_positive(value: str) -> bool:
    try:
        return float(value) > 0
    except ValueError:
        return False


def _rows(listed: Any) -> list[tuple[str, Any]]:
    """The objects of a list by their ids. Raises ValueError when it is no list, or an id is no text."""
    if not isinstance(listed, list) or not all(isinstance(row["id"], str) for row in listed):
        raise ValueError("not a list of objects with ids")
    return [(row["id"], row) for row in listed]


def _json(answer: Answer) -> Any:
    return json.loads(answer.body)
