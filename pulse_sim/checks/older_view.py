"""The check that nothing asks a system for the older view of its resources but an operator on record.

From outside, a use of the older view is a request for ``/api/resources`` (pulse-contract A9), and the system counts
the requests it answers by route, its own among them (A7). What code does inside without asking cannot be seen, and is
not judged.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pulse_sim.checks.counters import rise
from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import Name, Parameters
from pulse_sim.checks.wording import amount, number
from pulse_sim.observation import Record, RunLog, Source

REQUESTS: Final = "pulse_http_requests_total"
OLDER: Final = "/api/resources"
CURRENT: Final = "/api/v2/resources"
ASKING: Final = ("ask_system", "send_request")


class OlderViewUnused(Parameters):
    """A system does not use the older view of resources itself."""

    system: Name = "pulse"


def expected_disuse(given: OlderViewUnused) -> str:
    """In words."""
    return f"no request for {OLDER} of {given.system} but those of the operator"


def find_use(log: RunLog, given: OlderViewUnused) -> Finding:
    """The requests counted for the older route against those on record.

    A count of 0 means something only where requests are counted: the samples' own requests for the current view must
    be among the counts, or nothing is known.
    """
    require_started(log, given.system)
    last = log.metrics(given.system).scrapes[-1:]
    until_ns = last[0].time_ns if last else 0
    actions = log.of(Source.OPERATOR, "action", given.system)
    asked = [record for record in actions if record.time_ns <= until_ns and _asks_for_older(record)]
    counted = _counted(log, given.system, OLDER) if _has(log, given.system, OLDER) else 0.0
    if counted > len(asked):
        observed = f"{amount(counted, 'request')} counted, {number(len(asked))} of them the operator's"
        return Finding(False, observed, [record.seq for record in asked] + [scrape.seq for scrape in last])
    looks = [sample.seq for sample in log.resources(given.system)]
    if not looks:
        raise NoEvidence(f"no sample of the resources of {given.system}: nobody knows whether requests are counted")
    if not _has(log, given.system, CURRENT) or _counted(log, given.system, CURRENT) <= 0:
        raise NoEvidence(f"{given.system} does not count the requests for {CURRENT}", looks[:1])
    times = [scrape.time_ns for scrape in log.metrics(given.system).scrapes]
    what = f"scrape of {given.system}"
    require_seen(log, given.system, times, (0, log.end_ns), log.metrics_interval_ns, what)
    seen = f"{number(counted)} counted, {number(len(asked))} by the operator; requests for {CURRENT} are counted"
    return Finding(True, seen, [looks[0], looks[-1]])


def _labels(route: str) -> Mapping[str, str]:
    return {"method": "GET", "route": route}


def _has(log: RunLog, system: str, route: str) -> bool:
    return bool(log.series(system, REQUESTS, **_labels(route)))


def _counted(log: RunLog, system: str, route: str) -> float:
    """Over all statuses, each of which is a counter of its own that begins with its first request."""
    statuses: Sequence[str] = sorted(
        {
            series.labels["status"]
            for series in log.metrics(system).names.values()
            if series.name == REQUESTS and "status" in series.labels and _labels(route).items() <= series.labels.items()
        }
    )
    return sum(rise(log, system, None, REQUESTS, **_labels(route), status=status).amount for status in statuses)


def _asks_for_older(record: Record) -> bool:
    path = str(record.data["with"].get("path", "")).partition("?")[0]
    return record.data["do"] in ASKING and path == OLDER and record.data["status"] is not None


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("older_view_unused", OlderViewUnused, expected_disuse, find_use),)
