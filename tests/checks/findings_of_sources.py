"""source_undisturbed and older_view_unused: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_source_checks import AGENT, BOTH, SHARED, asked, served, watched

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: watched(*[BOTH] * 10),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            PASSED,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "2 resources the same in 10 samples",
            "resources pulse 0s 9m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 4, {"nas-1": {}, "sda": SHARED}, *[BOTH] * 5),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            FAILED,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "host:web is not shown at 4m",
            "resources pulse 0s 4m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 4, {**BOTH, "web": {**AGENT, "sourceStatus": None}}, *[BOTH] * 5),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            FAILED,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "host:web is absent as a resource of agent at 4m",
            "resources pulse 0s 4m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 4, {**BOTH, "web": {**AGENT, "type": "vm"}}, *[BOTH] * 5),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            FAILED,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "host:web changed its type at 4m",
            "resources pulse 0s 4m",
        ),
    ),
    Row(
        lambda: watched({}, {"nas-1": {}}, *[BOTH] * 8),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            PASSED,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "2 resources the same in 8 samples",
            "resources pulse 2m 9m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["2m", "8m"]},
        Said(
            PASSED,
            "the resources of agent stay online and as they are between 2m and 8m, whatever TrueNAS does",
            "2 resources the same in 7 samples",
            "resources pulse 2m 8m",
        ),
    ),
    Row(
        lambda: watched({}, *[BOTH] * 9),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["0s", "8m"]},
        Said(
            INCONCLUSIVE,
            "the resources of agent stay online and as they are between 0s and 8m, whatever TrueNAS does",
            "no resource of agent was shown between 0s and 8m",
            "resources pulse 0s",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10, fault=False),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            INCONCLUSIVE,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "nothing happened to TrueNAS while agent was watched",
            "",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["5m", "8m"]},
        Said(
            INCONCLUSIVE,
            "the resources of agent stay online and as they are between 5m and 8m, whatever TrueNAS does",
            "nothing happened to TrueNAS while agent was watched",
            "",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["1m", "3m"]},
        Said(
            INCONCLUSIVE,
            "the resources of agent stay online and as they are between 1m and 3m, whatever TrueNAS does",
            "nothing happened to TrueNAS while agent was watched",
            "",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["4m", "8m"]},
        Said(
            PASSED,
            "the resources of agent stay online and as they are between 4m and 8m, whatever TrueNAS does",
            "2 resources the same in 5 samples",
            "resources pulse 4m 8m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10, fault=False).action("3m", "remove_connection", id="nas-1"),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["3m", "8m"]},
        Said(
            PASSED,
            "the resources of agent stay online and as they are between 3m and 8m, whatever TrueNAS does",
            "2 resources the same in 6 samples",
            "resources pulse 3m 8m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 10, fault=False).action("3m", "remove_connection", id="nas-1"),
        "9m",
        "source_undisturbed",
        {"source": "agent", "between": ["1m", "3m"]},
        Said(
            PASSED,
            "the resources of agent stay online and as they are between 1m and 3m, whatever TrueNAS does",
            "2 resources the same in 3 samples",
            "resources pulse 1m 3m",
        ),
    ),
    Row(
        lambda: watched(*[BOTH] * 5),
        "9m",
        "source_undisturbed",
        {"source": "agent"},
        Said(
            INCONCLUSIVE,
            "the resources of agent stay online and as they are, whatever TrueNAS does",
            "no sample of the resources of pulse between 4m and 9m",
            "",
        ),
    ),
    Row(
        lambda: served(*[None] * 9),
        "9m",
        "older_view_unused",
        {},
        Said(
            PASSED,
            "no request for /api/resources of pulse but those of the operator",
            "0 counted, 0 by the operator; requests for /api/v2/resources are counted",
            "resources pulse 0s 8m",
        ),
    ),
    Row(
        lambda: served(*[None] * 5, *[1] * 4),
        "9m",
        "older_view_unused",
        {},
        Said(
            FAILED,
            "no request for /api/resources of pulse but those of the operator",
            "1 request counted, 0 of them the operator's",
            "metrics pulse 8m1ns",
        ),
    ),
    Row(
        lambda: asked(served(None, None, *[2] * 7), "1m30s"),
        "9m",
        "older_view_unused",
        {},
        Said(
            FAILED,
            "no request for /api/resources of pulse but those of the operator",
            "2 requests counted, 1 of them the operator's",
            "action pulse 1m30s, metrics pulse 8m1ns",
        ),
    ),
    Row(
        lambda: asked(served(None, None, *[1] * 7), "1m30s", "/api/resources?limit=1"),
        "9m",
        "older_view_unused",
        {},
        Said(
            PASSED,
            "no request for /api/resources of pulse but those of the operator",
            "1 counted, 1 by the operator; requests for /api/v2/resources are counted",
            "resources pulse 0s 8m",
        ),
    ),
    Row(
        lambda: asked(served(None, None, *[1] * 7), "1m30s", status=None),
        "9m",
        "older_view_unused",
        {},
        Said(
            FAILED,
            "no request for /api/resources of pulse but those of the operator",
            "1 request counted, 0 of them the operator's",
            "metrics pulse 8m1ns",
        ),
    ),
    Row(
        lambda: served(*[None] * 9, current=False),
        "9m",
        "older_view_unused",
        {},
        Said(
            INCONCLUSIVE,
            "no request for /api/resources of pulse but those of the operator",
            "pulse does not count the requests for /api/v2/resources",
            "resources pulse 0s",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "9m",
        "older_view_unused",
        {},
        Said(
            INCONCLUSIVE,
            "no request for /api/resources of pulse but those of the operator",
            "no sample of the resources of pulse: nobody knows whether requests are counted",
            "",
        ),
    ),
    Row(
        lambda: served(*[None] * 3),
        "9m",
        "older_view_unused",
        {},
        Said(
            INCONCLUSIVE,
            "no request for /api/resources of pulse but those of the operator",
            "no scrape of pulse between 2m1ns and 9m",
            "",
        ),
    ),
    Row(
        lambda: served(*[None] * 8, 1).action("8m1ns", "send_request", path="/api/resources"),
        "9m",
        "older_view_unused",
        {},
        Said(
            PASSED,
            "no request for /api/resources of pulse but those of the operator",
            "1 counted, 1 by the operator; requests for /api/v2/resources are counted",
            "resources pulse 0s 8m",
        ),
    ),
)
