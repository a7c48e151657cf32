"""The routes that show resources (contract A9). Reads the registry; changes nothing."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.api.answers import Refusal, answer
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.instants import rfc3339, rfc3339_or_none
from pulse_sim.stack.registry import Registry, Resource
from pulse_sim.stack.resources import DETAILS_KEY

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
_LARGEST_PAGE: Final = 10**6


class ResourceRoutes:
    """`time` is the monotonic clock the registry is asked with."""

    def __init__(self, registry: Registry, time: Callable[[], float]) -> None:
        self._registry = registry
        self._time = time

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds the routes."""
        router.add_get("/api/v2/resources", self.index)
        router.add_get("/api/resources", self.older_index)

    async def index(self, request: web.Request) -> web.Response:
        """A page of the resources that pass the filters, with aggregations over all that pass."""
        page, limit = _whole(request, "page", 1, _LARGEST_PAGE), _whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        now = self._time()
        found = [each for each in self._registry.resources(request[ORG], now) if _passes(each, request)]
        shown = found[(page - 1) * limit : page * limit]
        meta = {"page": page, "limit": limit, "total": len(found), "totalPages": -(-len(found) // limit)}
        data = [describe(each, self._registry, now) for each in shown]
        return answer({"data": data, "meta": meta, "aggregations": _aggregations(found)})

    async def older_index(self, request: web.Request) -> web.Response:
        """The older, flat view."""
        found = self._registry.resources(request[ORG], self._time())
        return answer({"resources": [_older(each) for each in found]})


def describe(resource: Resource, registry: Registry, now: float) -> dict[str, Any]:
    """A resource as the API shows it."""
    spoken = resource.spoken
    record, holding = spoken.record, spoken.holding
    alerts = [alert for claim in resource.claims for alert in claim.record.alerts]
    return {
        "id": resource.id,
        "type": record.type,
        "name": record.name,
        "status": resource.status,
        "lastSeen": rfc3339_or_none(holding.seen_ns),
        "updatedAt": rfc3339(holding.changed_ns.get(record.source_id, 0)),
        "sources": sorted({claim.holding.key[1] for claim in resource.claims}),
        "sourceStatus": _source_status(resource, registry, now),
        "identity": {**record.identity, "sourceId": record.source_id},
        "metrics": record.metrics,
        "parentId": record.parent_id,
        "tags": record.tags,
        DETAILS_KEY[record.type]: record.details,
        "alerts": alerts,
    }


def _source_status(resource: Resource, registry: Registry, now: float) -> dict[str, Any]:
    """By source; where a source has several claims, the freshest one's, which come first."""
    found: dict[str, Any] = {}
    for claim in resource.claims:
        source = claim.holding.key[1]
        if source not in found:
            status = "online" if claim.fresh else registry.source_status(claim.holding, now)
            if status == "online" and not claim.fresh:
                status = "stale"  # the source answers, but its last answer lacked this resource
            seen = rfc3339_or_none(claim.holding.seen_ns)
            found[source] = {"status": status, "lastSeen": seen, "error": claim.holding.error}
    return found


def _older(resource: Resource) -> dict[str, Any]:
    record, holding = resource.spoken.record, resource.spoken.holding
    return {
        "id": resource.id,
        "name": record.name,
        "type": record.type,
        "platformType": holding.key[1],
        "platformId": holding.key[2],
        "status": resource.status,
        "lastSeen": rfc3339_or_none(holding.seen_ns),
        "parentId": record.parent_id,
        "tags": record.tags,
    }


def _passes(resource: Resource, request: web.Request) -> bool:
    query, record = request.query, resource.spoken.record
    sources = {claim.holding.key[1] for claim in resource.claims}
    tests = (
        ("type", lambda words: record.type in words),
        ("status", lambda words: resource.status in words),
        ("source", lambda words: bool(sources & words)),
        ("parent", lambda words: record.parent_id in words),
        ("tags", lambda words: words <= set(record.tags)),
    )
    for key, fits in tests:
        words = {word for text in query.getall(key, ()) for word in text.split(",") if word}
        if words and not fits(words):
            return False
    wanted = query.get("q", "").strip().lower()
    return not wanted or any(wanted in text.lower() for text in (record.name, resource.id, *record.tags))


def _aggregations(resources: list[Resource]) -> dict[str, Any]:
    by_source = Counter(source for each in resources for source in {claim.holding.key[1] for claim in each.claims})
    return {
        "total": len(resources),
        "byType": dict(sorted(Counter(each.spoken.record.type.value for each in resources).items())),
        "byStatus": dict(sorted(Counter(each.status.value for each in resources).items())),
        "bySource": dict(sorted(by_source.items())),
    }


def _whole(request: web.Request, key: str, default: int, largest: int) -> int:
    text = request.query.get(key, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise Refusal(400, "invalid_request", f"{key} must be a whole number from 1", {"parameter": key})
    return min(int(text), largest)
