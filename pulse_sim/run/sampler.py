"""Looks at a system as an operator would, through its public pages, and records what changed since the last look."""

import json
from typing import Any, Final

from pulse_sim.observation import Source
from pulse_sim.observation.delta import difference
from pulse_sim.sut.protocol import Answer, SystemUnderTest
from pulse_sim.world.protocol import Observe

PAGE_LIMIT: Final = 100
PAGES_AT_MOST: Final = 200
LAST_SUCCESS: Final = "pulse_monitor_poll_last_success_timestamp"
RESOURCE_FIELDS: Final = ("type", "name", "status", "sources", "sourceStatus", "parentId")
UNREACHABLE: Final = (ConnectionError, TimeoutError, ValueError, KeyError, TypeError)


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
        """Health, resources and connections, one after the other."""
        await self._take("health", self._health)
        await self._take("resources", self._resources)
        await self._take("connections", self._connections)

    def saw_success_of(self, connection: str) -> bool:
        """Whether the last scrape showed at least one successful poll of a connection."""
        series = f'{LAST_SUCCESS}{{instance="{connection}",instance_type="truenas"}}'
        return float(self._last.get("metrics", {}).get(series, "0")) > 0

    async def _take(self, kind: str, look: Any) -> None:
        status: int | None = None
        error: str | None = None
        seen: dict[str, Any] | None = None
        try:
            status, seen = await look()
        except UNREACHABLE as failure:
            error = type(failure).__name__
        data: dict[str, Any] = {"status": status, "error": error}
        if kind != "health":
            if status != 200 or seen is None:
                seen = None
                data |= {"changed": {}, "gone": []}
            else:
                data |= difference(self._last.get(kind, {}), seen)
        if seen is not None:
            self._last[kind] = seen
        self._observe(Source.SAMPLER, kind, self._name, data)

    async def _health(self) -> tuple[int, dict[str, Any]]:
        return (await self._system.request("GET", "/api/health")).status, {}

    async def _resources(self) -> tuple[int, dict[str, Any]]:
        found: dict[str, Any] = {}
        for page in range(1, PAGES_AT_MOST + 1):
            answer = await self._system.request("GET", f"/api/v2/resources?page={page}&limit={PAGE_LIMIT}")
            if answer.status != 200:
                return answer.status, {}
            body = _json(answer)
            for resource in body["data"]:
                kept = {field: resource.get(field) for field in RESOURCE_FIELDS}
                found[resource["id"]] = {**kept, "sourceId": (resource.get("identity") or {}).get("sourceId")}
            if page >= body["meta"]["totalPages"]:
                return 200, found
        raise ValueError(f"more than {PAGES_AT_MOST} pages of resources")

    async def _connections(self) -> tuple[int, dict[str, Any]]:
        answer = await self._system.request("GET", "/api/truenas/connections")
        if answer.status != 200:
            return answer.status, {}
        return 200, {row["id"]: {"enabled": row.get("enabled"), "poll": row.get("poll")} for row in _json(answer)}


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


def _json(answer: Answer) -> Any:
    return json.loads(answer.body)
