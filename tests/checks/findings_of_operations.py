"""log_lines, restarts, api_answer and data_file: what they expect, what they say, and where."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_operation_checks import asked, logged, looked

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: logged(("2m", "TrueNAS poller started"), ("5m", "TrueNAS poller started"), ("6m", "other")),
        "30m",
        "log_lines",
        {"text": "poller", "at_least": 2},
        Said(PASSED, 'at least 2 lines of pulse with "poller"', "2 lines, the first at 2m", "log pulse 2m 5m"),
    ),
    Row(
        lambda: logged(("2m", "TrueNAS poller started"), ("5m", "TrueNAS poller started"), ("6m", "other")),
        "30m",
        "log_lines",
        {"text": "poller", "at_least": 1, "at_most": 1},
        Said(
            FAILED,
            'at least 1 line and at most 1 line of pulse with "poller"',
            "2 lines, the first at 2m",
            "log pulse 2m 5m",
        ),
    ),
    Row(
        lambda: logged(("2m", "a"), ("5m", "b")),
        "30m",
        "log_lines",
        {"text": "poller", "at_most": 0, "between": ["1m", "9m"]},
        Said(PASSED, 'at most 0 lines of pulse with "poller" between 1m and 9m', "0 lines", "log pulse 2m"),
    ),
    Row(
        lambda: logged(("5m", "a")),
        "30m",
        "log_lines",
        {"text": "a", "at_most": 1},
        Said(PASSED, 'at most 1 line of pulse with "a"', "1 line, the first at 5m", "log pulse 5m"),
    ),
    Row(
        lambda: logged(("5m", "a")),
        "30m",
        "log_lines",
        {"text": "poller", "at_most": 0, "between": ["1m", "31m"]},
        Said(
            INCONCLUSIVE,
            'at most 0 lines of pulse with "poller" between 1m and 31m',
            "the run ended at 30m, before the window did",
            "",
        ),
    ),
    Row(
        lambda: logged(("5m", "x")).add("6m", "sut/stopped", "pulse").add("10m", "sut/started", "pulse"),
        "30m",
        "log_lines",
        {"text": "poller", "at_most": 0, "between": ["6m", "9m"]},
        Said(
            INCONCLUSIVE,
            'at most 0 lines of pulse with "poller" between 6m and 9m',
            "system pulse was down all the time between 6m and 9m",
            "",
        ),
    ),
    Row(
        lambda: logged(("5m", "%s of %s"), **{"1": "two", "0": "one", "x": "no"}),
        "30m",
        "log_lines",
        {"text": "one of two", "at_least": 1},
        Said(PASSED, 'at least 1 line of pulse with "one of two"', "1 line, the first at 5m", "log pulse 5m"),
    ),
    Row(
        lambda: logged(("5m", "%d of"), **{"0": "one"}),
        "30m",
        "log_lines",
        {"text": "%d of", "at_least": 1},
        Said(PASSED, 'at least 1 line of pulse with "%d of"', "1 line, the first at 5m", "log pulse 5m"),
    ),
    Row(
        lambda: logged(("5m", "100 %")),
        "30m",
        "log_lines",
        {"text": "100 %", "at_least": 1},
        Said(PASSED, 'at least 1 line of pulse with "100 %"', "1 line, the first at 5m", "log pulse 5m"),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "log_lines",
        {"text": "poller", "at_most": 0},
        Said(INCONCLUSIVE, 'at most 0 lines of pulse with "poller"', "no line of pulse was ever logged", ""),
    ),
    Row(
        lambda: LogBuilder().scrape("1m", {}).add("5m", "sut/stopped", "pulse").add("5m", "sut/started", "pulse"),
        "30m",
        "restarts",
        {"at_least": 1, "at_most": 2},
        Said(
            PASSED,
            "at least 1 restart and at most 2 restarts of pulse",
            "1 restart, the first at 5m",
            "started pulse 5m",
        ),
    ),
    Row(
        lambda: LogBuilder().scrape("1m", {}).add("5m", "sut/stopped", "pulse").add("5m", "sut/started", "pulse"),
        "30m",
        "restarts",
        {"at_most": 0},
        Said(FAILED, "at most 0 restarts of pulse", "1 restart, the first at 5m", "started pulse 5m"),
    ),
    Row(
        lambda: LogBuilder().scrape("1m", {}),
        "30m",
        "restarts",
        {"at_least": 2},
        Said(FAILED, "at least 2 restarts of pulse", "0 restarts", "started pulse 0s"),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "restarts",
        {"at_most": 0},
        Said(INCONCLUSIVE, "at most 0 restarts of pulse", "nobody ever looked at pulse", ""),
    ),
    Row(
        lambda: asked("5m", '[{"id": "nas-1"}]'),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m"},
        Said(
            PASSED,
            "/api/truenas/connections of pulse answers 200 at 5m",
            "status 200, 17 characters",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", '[{"id": "nas-1"}]'),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "rows": 1, "contains": ["nas-1"], "lacks": ["nas-2"]},
        Said(
            PASSED,
            '/api/truenas/connections of pulse answers 200 1 row with "nas-1" without "nas-2" at 5m',
            "status 200, 1 row",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", '[{"id": "nas-1"}]'),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "rows": 2},
        Said(
            FAILED, "/api/truenas/connections of pulse answers 200 2 rows at 5m", "status 200, 1 row", "action pulse 5m"
        ),
    ),
    Row(
        lambda: asked("5m", "[]"),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "status": 404},
        Said(FAILED, "/api/truenas/connections of pulse answers 404 at 5m", "status 200", "action pulse 5m"),
    ),
    Row(
        lambda: asked("5m", "[]", status=None),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m"},
        Said(
            FAILED, "/api/truenas/connections of pulse answers 200 at 5m", "no answer: TimeoutError", "action pulse 5m"
        ),
    ),
    Row(
        lambda: asked("5m", "[]"),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "4m"},
        Said(
            INCONCLUSIVE,
            "/api/truenas/connections of pulse answers 200 at 4m",
            "nobody asked for /api/truenas/connections at 4m",
            "",
        ),
    ),
    Row(
        lambda: asked("5m", "[", whole=False),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "rows": 0},
        Said(
            INCONCLUSIVE,
            "/api/truenas/connections of pulse answers 200 0 rows at 5m",
            "only the beginning of /api/truenas/connections was kept",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", "[", whole=False),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "lacks": ["nas-1"]},
        Said(
            INCONCLUSIVE,
            '/api/truenas/connections of pulse answers 200 without "nas-1" at 5m',
            "only the beginning of /api/truenas/connections was kept",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", "[]"),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "contains": ["nas-1"]},
        Said(
            FAILED,
            '/api/truenas/connections of pulse answers 200 with "nas-1" at 5m',
            'status 200 without "nas-1"',
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", '["nas-1"]'),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "lacks": ["nas-1"]},
        Said(
            FAILED,
            '/api/truenas/connections of pulse answers 200 without "nas-1" at 5m',
            'status 200 with "nas-1"',
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: asked("5m", "{}"),
        "30m",
        "api_answer",
        {"path": "/api/truenas/connections", "at": "5m", "rows": 0},
        Said(
            FAILED,
            "/api/truenas/connections of pulse answers 200 0 rows at 5m",
            "status 200, no array",
            "action pulse 5m",
        ),
    ),
    Row(
        lambda: looked(("5m", {"a": "1", "k": "9"}), ("6m", {"k": "9"}), ("7m", {"k": "8"})),
        "30m",
        "data_file",
        {"file": "a", "is": "absent", "after": "5m"},
        Said(PASSED, "a of pulse absent after 5m", "absent in 2 looks", "disk pulse 6m 7m"),
    ),
    Row(
        lambda: looked(("5m", {"a": "1", "k": "9"}), ("6m", {"k": "9"}), ("7m", {"k": "8"})),
        "30m",
        "data_file",
        {"file": "a", "is": "absent"},
        Said(FAILED, "a of pulse absent", "present at 5m", "disk pulse 5m"),
    ),
    Row(
        lambda: looked(("5m", {"a": "1", "k": "9"}), ("6m", {"k": "9"}), ("7m", {"k": "8"})),
        "30m",
        "data_file",
        {"file": "a", "is": "present"},
        Said(FAILED, "a of pulse present", "absent at 6m", "disk pulse 6m"),
    ),
    Row(
        lambda: looked(("5m", {"a": "1", "k": "9"}), ("6m", {"k": "9"}), ("7m", {"k": "8"})),
        "30m",
        "data_file",
        {"file": "k", "is": "unchanged"},
        Said(FAILED, "k of pulse unchanged", "another at 7m", "disk pulse 5m 7m"),
    ),
    Row(
        lambda: looked(("5m", {"k": "9"}), ("6m", {"k": "9"})),
        "30m",
        "data_file",
        {"file": "k", "is": "unchanged"},
        Said(PASSED, "k of pulse unchanged", "unchanged in 2 looks", "disk pulse 5m 6m"),
    ),
    Row(
        lambda: looked(("5m", {"k": "9"})),
        "30m",
        "data_file",
        {"file": "k", "is": "unchanged"},
        Said(INCONCLUSIVE, "k of pulse unchanged", "too few looks at the disk of pulse", ""),
    ),
    Row(
        lambda: looked(("5m", {"k": "9"})),
        "30m",
        "data_file",
        {"file": "k", "is": "present"},
        Said(PASSED, "k of pulse present", "present in 1 look", "disk pulse 5m"),
    ),
)
