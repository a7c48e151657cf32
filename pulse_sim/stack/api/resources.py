"""The routes that show resources (contract A9). Reads the registry; changes nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.api.answers import answer
from pulse_sim.stack.api.described import OLDER_RESOURCES, RESOURCES
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import QUERY, Operation, Parameter
from pulse_sim.stack.instants import rfc3339, rfc3339_or_none
from pulse_sim.stack.registry import Registry, Resource
from pulse_sim.stack.resources import DETAILS_KEY

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
_WORDS: Final = {"type": "array", "items": {"type": "string"}}
FILTERS: Final = (
    Parameter("type", _WORDS, "Only resources of one of these types."),
    Parameter("source", _WORDS, "Only resources one of these sources speaks of."),
    Parameter("status", _WORDS, "Only resources of one of these statuses."),
    Parameter("parent", _WORDS, "Only resources below one of these ids."),
    Parameter("tags", _WORDS, "Only resources with all of these tags."),
    Parameter("q", {"type": "string"}, "Only resources with this text in name, id or a tag."),
)
PAGES: Final = (
    Parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "Which page, from 1."),
    Parameter("limit", {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT}, "Resources a page, at most 100."),
)


class ResourceRoutes:
    """`time` is the monotonic clock the registry is asked with."""

    def __init__(self, registry: Registry, time: Callable[[], float]) -> None:
        self._registry = registry
        self._time = time

    def operations(self) -> Sequence[Operation]:
        """The rows of this group."""
        about = "A page of resources, with aggregations over all that pass the filters."
        return [
            Operation(
                "GET",
                "/api/v2/resources",
                "listResources",
                about,
                self.index,
                query=(*FILTERS, *PAGES),
                shape=RESOURCES,
            ),
            Operation(
                "GET",
                "/api/resources",
                "listResourcesOlder",
                "The older, flat view.",
                self.older_index,
                shape=OLDER_RESOURCES,
            ),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """A page of the resources that pass the filters, with aggregations over all that pass."""
        query = request[QUERY]
        page, limit = query["page"], min(query["limit"], MAX_LIMIT)
        now = self._time()
        found = [each for each in self._registry.resources(request[ORG], now) if _passes(each, query)]
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
        "identity": {**record.identity, "sourceId": resource.source_id},
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


def _passes(resource: Resource, query: Mapping[str, Any]) -> bool:
    record = resource.spoken.record
    sources = {claim.holding.key[1] for claim in resource.claims}
    if query["type"] and record.type not in query["type"]:
        return False
    if query["status"] and resource.status not in query["status"]:
        return False
    if query["parent"] and record.parent_id not in query["parent"]:
        return False
    if query["source"] and not sources & query["source"]:
        return False
    wanted = (query["q"] or "").strip().lower()
    named = not wanted or any(wanted in text.lower() for text in (record.name, resource.id, *record.tags))
    return named and query["tags"] <= set(record.tags)


def _aggregations(resources: list[Resource]) -> dict[str, Any]:
    by_source = Counter(source for each in resources for source in {claim.holding.key[1] for claim in each.claims})
    return {
        "total": len(resources),
        "byType": dict(sorted(Counter(each.spoken.record.type.value for each in resources).items())),
        "byStatus": dict(sorted(Counter(each.status.value for each in resources).items())),
        "bySource": dict(sorted(by_source.items())),
    }
