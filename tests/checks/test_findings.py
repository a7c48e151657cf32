"""What every kind of check says of a small log: what it expected, what it saw, and at which records it points."""

from types import ModuleType

import pytest

from tests.checks import (
    findings_of_aborts,
    findings_of_alerts,
    findings_of_branches,
    findings_of_crashes,
    findings_of_faults,
    findings_of_leaks,
    findings_of_loads,
    findings_of_looks,
    findings_of_metrics,
    findings_of_operations,
    findings_of_polls,
    findings_of_recoveries,
    findings_of_rollbacks,
    findings_of_rollouts,
    findings_of_sources,
    findings_of_statuses,
    findings_of_trends,
    findings_of_truths,
)
from tests.checks.log_builder import Row, beside_others, said

TABLES = (
    findings_of_aborts,
    findings_of_alerts,
    findings_of_branches,
    findings_of_crashes,
    findings_of_faults,
    findings_of_leaks,
    findings_of_loads,
    findings_of_looks,
    findings_of_metrics,
    findings_of_operations,
    findings_of_polls,
    findings_of_recoveries,
    findings_of_rollbacks,
    findings_of_rollouts,
    findings_of_sources,
    findings_of_statuses,
    findings_of_trends,
    findings_of_truths,
)
ROWS = [pytest.param(row, id=f"{row.check}-{row.said.outcome.value}") for table in TABLES for row in table.FINDINGS]
COUNTERS = (
    findings_of_aborts,
    findings_of_faults,
    findings_of_metrics,
    findings_of_polls,
    findings_of_recoveries,
    findings_of_rollouts,
    findings_of_truths,
)
"""The tables of checks that read what the system counts of its connections."""


@pytest.mark.parametrize("row", ROWS)
def test_a_finding_says_what_was_expected_what_was_seen_and_where(row: Row) -> None:
    assert said(row.log().log(row.end, row.ended), row.check, row.given) == row.said


@pytest.mark.parametrize("table", COUNTERS)
def test_what_instances_of_another_type_count_is_nobodys_business(table: ModuleType) -> None:
    for row in table.FINDINGS:
        assert said(beside_others(row.log()).log(row.end, row.ended), row.check, row.given) == row.said
