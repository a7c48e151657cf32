"""Whatever the catalogue of faults has, a poll ends in a snapshot or a MonitorError, loses nothing and shows no key."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.stack.payload_sweep import Case, cases, outcome


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_fault_makes_a_poll_raise_lose_a_resource_or_print_a_key(case: Case) -> None:
    assert outcome(case).complaints == []


def test_a_fault_that_shows_in_errors_is_seen_by_the_sweep() -> None:
    found = outcome(Case("rpc.malformed", (("call", "pool.query"),), "25.10", True, "auto"))
    assert (found.errors, found.complaints) == ({"api"}, [])


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ("system.info", "physmem"),
        ("pool.query", "size"),
        ("pool.query", "scan.percentage"),
        ("pool.dataset.query", "used.parsed"),
        ("disk.query", "temperature"),
        ("alert.list", "datetime"),
        ("alert.list", "dismissed"),
    ],
)
def test_a_word_where_a_number_a_date_or_a_flag_belongs_costs_no_poll(call: str, field: str) -> None:
    parameters = (("call", call), ("field", field), ("value", "x"))
    found = outcome(Case("payload.set_field", parameters, "25.10", True, "auto"))
    assert (found.errors, found.complaints) == (set(), [])
