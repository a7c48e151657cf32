"""Whatever the catalogue of faults has, a poll ends in a snapshot or a MonitorError, loses nothing and shows no key."""

from hypothesis import HealthCheck, given, settings

from tests.stack.payload_sweep import Case, cases, outcome


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_fault_makes_a_poll_raise_lose_a_resource_or_print_a_key(case: Case) -> None:
    assert outcome(case).complaints == []


def test_a_fault_that_shows_in_errors_is_seen_by_the_sweep() -> None:
    found = outcome(Case("rpc.malformed", (("call", "pool.query"),), "25.10", True, "auto"))
    assert (found.errors, found.complaints) == ({"api"}, [])
