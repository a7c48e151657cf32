"""Whether a rare branch was seen, on logs of a few records."""

from typing import Any

import pytest
from pydantic import ValidationError

from pulse_sim.checks.reachability import Seen
from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, gauge, judge

PASSED, INCONCLUSIVE = Outcome.PASSED, Outcome.INCONCLUSIVE
STATE = "pulse_scheduler_breaker_state"
HALF_OPEN = {"metric": {"name": STATE, "labels": {"instance": "nas-1"}, "at_least": 1}}


def line(text: str, **fields: Any) -> dict[str, Any]:
    return {"level": "INFO", "logger": "TrueNASPoller", "template": text, "fields": fields}


def log() -> LogBuilder:
    builder = LogBuilder().add("1m", "sut/log", "pulse", **line("breaker of %(name)s is open", name="nas-1"))
    builder.request("2m", status=401, faults=["f1"]).request("3m", status=None, ended="cut").request("4m")
    return builder.scrape("5m", {gauge(STATE): 0, gauge(STATE, "nas-2"): 2}).scrape("6m", {gauge(STATE): 1})


def verdict(what: dict[str, Any], builder: LogBuilder | None = None, **given: Any) -> tuple[Outcome, str]:
    result = judge((builder or log()).log("10m"), "seen", what=what, **given)
    assert result.outcome is PASSED or result.reason == result.observed
    return result.outcome, result.observed


@pytest.mark.parametrize(
    ("what", "observed"),
    [
        ({"log": "of nas-1 is open"}, "1 time, first at 1m"),
        ({"request": {"appliance": "nas-1", "status": 401}}, "1 time, first at 2m"),
        ({"request": {"appliance": "nas-1", "fault": "f1", "method": "GET"}}, "1 time, first at 2m"),
        ({"request": {"appliance": "nas-1", "ended": "cut"}}, "1 time, first at 3m"),
        ({"request": {"appliance": "nas-1", "path": "/api/v2.0/pool"}}, "3 times, first at 2m"),
        (HALF_OPEN, "1 time, first at 6m"),
        ({"metric": {"name": STATE, "at_least": 2}}, "1 time, first at 5m"),
    ],
)
def test_a_branch_is_seen_in_a_line_a_request_or_a_metric(what: dict[str, Any], observed: str) -> None:
    assert verdict(what) == (PASSED, observed)


@pytest.mark.parametrize(
    ("what", "given", "missing"),
    [
        ({"log": "of nas-2 is open"}, {}, 'a line of pulse with "of nas-2 is open" was seen 0 times'),
        (
            {"log": "is open"},
            {"between": ["2m", "9m"]},
            'a line of pulse with "is open" was seen 0 times between 2m and 9m',
        ),
        (
            {"request": {"appliance": "nas-1", "status": 401}},
            {"at_least": 2},
            'a request to nas-1 with {"status": 401} was seen 1 time',
        ),
        (
            {"request": {"appliance": "nas-1", "status": 401, "fault": "f2"}},
            {},
            'a request to nas-1 with {"fault": "f2", "status": 401} was seen 0 times',
        ),
        (
            {"request": {"appliance": "nas-9", "status": 401}},
            {},
            'a request to nas-9 with {"status": 401} was seen 0 times',
        ),
        (
            {"metric": {"name": STATE, "labels": {"instance": "nas-1"}, "at_least": 2}},
            {},
            f'{STATE} {{"instance": "nas-1"}} of pulse at 2 or more was seen 0 times',
        ),
        ({"log": "is open"}, {"system": "other"}, "system other never started"),
    ],
)
def test_a_branch_that_was_not_reached_is_inconclusive_and_never_a_failure(
    what: dict[str, Any], given: dict[str, Any], missing: str
) -> None:
    assert verdict(what, **given) == (INCONCLUSIVE, missing)


def test_what_is_no_number_is_not_seen() -> None:
    builder = LogBuilder().scrape("1m", {gauge(STATE): "NaN"}).scrape("2m", {gauge(STATE): "+Inf"})
    assert verdict(HALF_OPEN, builder)[0] is INCONCLUSIVE


@pytest.mark.parametrize(
    "given",
    [
        {"what": {}},
        {"what": {"log": "a", "metric": {"name": "up", "at_least": 1}}},
        {"what": {"log": ""}},
        {"what": {"request": {"appliance": "nas-1"}}},
        {"what": {"metric": {"name": "up"}}},
        {"what": {"metric": {"name": "up", "at_least": float("nan")}}},
        {"what": {"log": "a"}, "at_least": 0},
    ],
)
def test_what_is_no_branch_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Seen.model_validate(given)
