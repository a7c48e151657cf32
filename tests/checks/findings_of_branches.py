"""seen: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import Row, Said
from tests.checks.test_reachability_check import log

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"log": "of nas-1 is open"}},
        Said(PASSED, 'a line of pulse with "of nas-1 is open" seen', "1 time, first at 1m", "log pulse 1m"),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"log": "closed"}},
        Said(INCONCLUSIVE, 'a line of pulse with "closed" seen', 'a line of pulse with "closed" was seen 0 times', ""),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"request": {"appliance": "nas-1", "path": "/api/v2.0/pool"}}},
        Said(
            PASSED,
            'a request to nas-1 with {"path": "/api/v2.0/pool"} seen',
            "3 times, first at 2m",
            "request nas-1 2m1ms 3m1ms 4m1ms",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"request": {"appliance": "nas-1", "status": 401, "fault": "f1"}}},
        Said(
            PASSED,
            'a request to nas-1 with {"fault": "f1", "status": 401} seen',
            "1 time, first at 2m",
            "request nas-1 2m1ms",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"request": {"appliance": "nas-1", "ended": "cut", "method": "GET"}}},
        Said(
            PASSED,
            'a request to nas-1 with {"ended": "cut", "method": "GET"} seen',
            "1 time, first at 3m",
            "request nas-1 3m1ms",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"request": {"appliance": "nas-1", "method": "POST"}}},
        Said(
            INCONCLUSIVE,
            'a request to nas-1 with {"method": "POST"} seen',
            'a request to nas-1 with {"method": "POST"} was seen 0 times',
            "",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {
            "what": {
                "metric": {
                    "name": "pulse_scheduler_breaker_state",
                    "labels": {"instance": "nas-1", "instance_type": "truenas"},
                    "at_least": 1,
                }
            }
        },
        Said(
            PASSED,
            'pulse_scheduler_breaker_state {"instance": "nas-1", "instance_type": "truenas"} of pulse at 1 or '
            "more seen",
            "1 time, first at 6m",
            "metrics pulse 6m",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {
            "what": {
                "metric": {
                    "name": "pulse_scheduler_breaker_state",
                    "labels": {"instance": "nas-1", "instance_type": "truenas"},
                    "at_least": 1.5,
                }
            }
        },
        Said(
            INCONCLUSIVE,
            'pulse_scheduler_breaker_state {"instance": "nas-1", "instance_type": "truenas"} of pulse at 1.500 '
            "or more seen",
            'pulse_scheduler_breaker_state {"instance": "nas-1", "instance_type": "truenas"} of pulse at 1.500 '
            "or more was seen 0 times",
            "",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {"what": {"request": {"appliance": "nas-1", "path": "/api/v2.0/pool"}}, "at_least": 3, "between": ["2m", "4m"]},
        Said(
            PASSED,
            'a request to nas-1 with {"path": "/api/v2.0/pool"} seen at least 3 times between 2m and 4m',
            "3 times, first at 2m",
            "request nas-1 2m1ms 3m1ms 4m1ms",
        ),
    ),
    Row(
        lambda: log(),
        "10m",
        "seen",
        {
            "what": {"request": {"appliance": "nas-1", "path": "/api/v2.0/pool"}},
            "at_least": 3,
            "between": ["2m1s", "3m30s"],
        },
        Said(
            INCONCLUSIVE,
            'a request to nas-1 with {"path": "/api/v2.0/pool"} seen at least 3 times between 2m1s and 3m30s',
            'a request to nas-1 with {"path": "/api/v2.0/pool"} was seen 1 time between 2m1s and 3m30s',
            "request nas-1 3m1ms",
        ),
    ),
)
