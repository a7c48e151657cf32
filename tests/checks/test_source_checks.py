"""Other sources undisturbed, and the older view of resources unused, on logs of a few records."""

from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
ONLINE = {"agent": {"status": "online"}}
AGENT: dict[str, Any] = {"sources": ["agent"], "sourceStatus": ONLINE, "sourceId": "host:web", "facts": {}}
SHARED = {**AGENT, "type": "physical_disk", "sources": ["agent", "truenas"], "sourceId": "system:nas-1/disk:sda"}
Shown = Mapping[str, Mapping[str, Any]]
BOTH: Shown = {"nas-1": {}, "web": AGENT, "sda": SHARED}


def watched(*samples: Shown, fault: bool = True) -> LogBuilder:
    """A sample a minute; trouble from 3 to 5 m."""
    log = LogBuilder(resources_every_ns=MINUTE)
    for minute, sample in enumerate(samples):
        log.resources(minute * MINUTE, sample)
    return log.fault("3m", "5m", kind="net.down") if fault else log


def undisturbed(log: LogBuilder, **given: Any) -> tuple[Outcome, str]:
    result = judge(log.log("9m"), "source_undisturbed", source="agent", **given)
    return result.outcome, result.observed


def test_a_source_that_is_shown_as_it_was_is_undisturbed() -> None:
    assert undisturbed(watched(*[BOTH] * 10)) == (PASSED, "2 resources the same in 10 samples")


def test_it_counts_from_when_it_was_first_shown() -> None:
    assert undisturbed(watched({}, {"nas-1": {}}, *[BOTH] * 8)) == (PASSED, "2 resources the same in 8 samples")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"nas-1": {}, "sda": SHARED}, "host:web is not shown"),
        ({**BOTH, "web": {**AGENT, "sourceStatus": {"agent": {"status": "stale"}}}}, "host:web is stale as a resource"),
        ({**BOTH, "web": {**AGENT, "sourceStatus": None}}, "host:web is absent as a resource"),
        ({**BOTH, "web": {**AGENT, "status": "warning"}}, "host:web changed its status"),
        ({**BOTH, "web": {**AGENT, "facts": {"hostname": "nas-1"}}}, "host:web changed its facts"),
        ({**BOTH, "web": {**AGENT, "name": "nas-1"}}, "host:web changed its name"),
        ({**BOTH, "web": {**AGENT, "parentId": "id-nas-1"}}, "host:web changed its parentId"),
        ({**BOTH, "sda": {**SHARED, "sources": ["truenas"]}}, "system:nas-1/disk:sda is no longer one of agent"),
        (
            {**BOTH, "sda": {**SHARED, "sourceStatus": {"agent": {"status": "stale"}}}},
            "system:nas-1/disk:sda is stale as a resource",
        ),
    ],
)
def test_a_source_that_is_shown_otherwise_is_disturbed(after: Shown, told: str) -> None:
    outcome, observed = undisturbed(watched(*[BOTH] * 4, after, *[BOTH] * 5))
    assert outcome is FAILED
    assert observed.startswith(told)
    assert observed.endswith(" at 4m")


def test_what_truenas_says_of_a_shared_resource_may_change() -> None:
    bad = {**BOTH, "nas-1": {"source": "stale", "status": "warning"}, "sda": {**SHARED, "status": "offline"}}
    assert undisturbed(watched(*[BOTH] * 4, bad, *[BOTH] * 5))[0] is PASSED


def test_only_the_window_is_watched() -> None:
    log = watched(*[BOTH] * 7, *[{}] * 3)
    assert undisturbed(log)[0] is FAILED
    assert undisturbed(log, between=["1m", "6m"])[0] is PASSED


@pytest.mark.parametrize(
    ("log", "given", "missing"),
    [
        (watched(*[{"nas-1": {}}] * 10), {}, "no resource of agent was shown"),
        (watched(), {}, "no resource of agent was shown"),
        (watched({}, *[BOTH] * 9), {"between": ["0s", "8m"]}, "no resource of agent was shown between 0s and 8m"),
        (watched(*[BOTH] * 5), {}, "no sample of the resources of pulse between 4m and 9m"),
        (watched(*[BOTH] * 10, fault=False), {}, "nothing happened to TrueNAS while agent was watched"),
        (watched(*[BOTH] * 10), {"between": ["6m", "8m"]}, "nothing happened to TrueNAS while agent was watched"),
        (
            watched(*[BOTH] * 10, fault=False).fault("3m", "5m", on="pulse", connections=["nas-1"]),
            {},
            "nothing happened to TrueNAS while agent was watched",
        ),
        (watched(*[BOTH] * 10), {"between": ["1m", "10m"]}, "the run ended at 9m, before 10m"),
        (watched(*[BOTH] * 10), {"system": "other"}, "system other never started"),
    ],
)
def test_what_was_not_watched_in_trouble_is_inconclusive(log: LogBuilder, given: Any, missing: str) -> None:
    assert undisturbed(log, **given) == (INCONCLUSIVE, missing)


@pytest.mark.parametrize("do", ["remove_connection", "disable_connection", "update_connection", "add_connection"])
def test_an_operators_change_of_a_connection_is_trouble_too(do: str) -> None:
    assert undisturbed(watched(*[BOTH] * 10, fault=False).action("3m", do, id="nas-1"))[0] is PASSED


def counted(route: str, status: int = 200) -> str:
    return f'pulse_http_requests_total{{method="GET",route="{route}",status="{status}"}}'


CURRENT, OLDER = counted("/api/v2/resources"), counted("/api/resources")


def asked(log: LogBuilder, time: str, path: str = "/api/resources", status: int | None = 200) -> LogBuilder:
    return log.action(time, "ask_system", status, path=path)


def served(*older: int | None, current: bool = True) -> LogBuilder:
    """A sample and a scrape a minute; ``older`` is what is counted for the older view."""
    log = LogBuilder()
    for minute, count in enumerate(older):
        log.resources(minute * MINUTE, {"nas-1": {}})
        page: dict[str, float | str] = {CURRENT: minute + 1} if current else {"up": 1}
        log.scrape(minute * MINUTE + 1, page if count is None else {**page, OLDER: count})
    return log


def unused(log: LogBuilder) -> tuple[Outcome, str]:
    result = judge(log.log("9m"), "older_view_unused")
    return result.outcome, result.observed


NOBODY = "0 counted, 0 by the operator; requests for /api/v2/resources are counted"


def test_no_request_for_the_older_view_where_requests_are_counted() -> None:
    assert unused(served(*[None] * 9)) == (PASSED, NOBODY)
    assert unused(served(*[0] * 9)) == (PASSED, NOBODY)


def test_a_request_nobody_on_record_made_is_the_systems_own() -> None:
    assert unused(served(*[None] * 5, *[1] * 4)) == (FAILED, "1 request counted, 0 of them the operator's")


def test_what_an_operator_asked_for_is_the_operators() -> None:
    log = served(None, None, *[2] * 7)
    asked(asked(log, "1m30s"), "1m40s", "/api/resources?limit=1")
    assert unused(log)[0] is PASSED
    assert unused(asked(served(None, None, *[2] * 7), "1m30s"))[0] is FAILED


def test_an_operators_request_that_came_nowhere_or_too_late_excuses_none() -> None:
    assert unused(asked(served(None, None, *[1] * 7), "1m30s", status=None))[0] is FAILED
    assert unused(asked(served(None, None, *[1] * 7), "8m30s"))[0] is FAILED
    assert unused(asked(served(None, None, *[1] * 7), "1m30s", "/api/v2/resources"))[0] is FAILED


def test_requests_are_counted_over_restarts_and_statuses() -> None:
    log = LogBuilder().resources("1m", {}).scrape("1m", {CURRENT: 1, OLDER: 1})
    log.add("2m", "sut/stopped", "pulse").add("2m", "sut/started", "pulse")
    log.scrape("3m", {CURRENT: 1, OLDER: 1, counted("/api/resources", 401): 1})
    assert unused(log) == (FAILED, "3 requests counted, 0 of them the operator's")


@pytest.mark.parametrize(
    ("log", "missing"),
    [
        (served(*[None] * 9, current=False), "pulse does not count the requests for /api/v2/resources"),
        (LogBuilder(), "no sample of the resources of pulse: nobody knows whether requests are counted"),
        (served(*[None] * 3), "no scrape of pulse between 2m1ns and 9m"),
        (LogBuilder(started=False), "system pulse never started"),
    ],
)
def test_a_count_of_nothing_means_nothing_where_nothing_is_counted(log: LogBuilder, missing: str) -> None:
    assert unused(log) == (INCONCLUSIVE, missing)
