"""availability on handwritten logs; everything is looked at once a minute."""

from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
KINDS = ("health", "metrics", "resources", "connections")


def looked(missed: Mapping[tuple[int, str], int | None], kinds: tuple[str, ...] = KINDS) -> LogBuilder:
    """Nine looks of each kind, one a minute; ``missed`` maps (minute, kind) to what came instead of a 200."""
    log = LogBuilder(resources_every_ns=MINUTE, metrics_every_ns=MINUTE)
    for minute in range(1, 10):
        for kind in kinds:
            if (minute, kind) in missed:
                log.missed(f"{minute}m", kind, status=missed[minute, kind])
            elif kind == "health":
                log.health(f"{minute}m")
            elif kind == "metrics":
                log.scrape(f"{minute}m", {})
            else:
                log.add(f"{minute}m", f"sampler/{kind}", "pulse", status=200, error=None, changed={}, gone=[])
    return log


def share(builder: LogBuilder, at_least: float, end: str = "10m", **given: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "availability", at_least=at_least, **given)
    return result.outcome, result.observed


def test_every_look_of_every_kind_counts() -> None:
    assert share(looked({}), 1.0) == (PASSED, "100.00 %: 36 of 36 looks answered")
    for kind in KINDS:
        assert share(looked({(5, kind): None}), 1.0) == (FAILED, "97.22 %: 35 of 36 looks answered")
        assert share(looked({(5, kind): 503}), 0.97)[0] is PASSED


def test_the_share_is_compared_exactly() -> None:
    log = looked({(minute, "health"): None for minute in range(1, 10)})
    assert share(log, 0.75) == (PASSED, "75.00 %: 27 of 36 looks answered")
    assert share(log, 0.7501)[0] is FAILED


def test_a_page_the_system_does_not_have_is_no_look() -> None:
    absent = {(minute, "connections"): 404 for minute in range(1, 10)}
    assert share(looked(absent), 1.0) == (PASSED, "100.00 %: 27 of 27 looks answered")
    no_health = {(minute, "health"): 404 for minute in range(1, 10)}
    assert share(looked(no_health), 0.0)[0] is INCONCLUSIVE


def test_looks_while_the_system_was_stopped_were_not_answered() -> None:
    log = looked({(minute, kind): None for minute in (5, 6) for kind in KINDS})
    log.add("4m30s", "sut/stopped", "pulse").add("6m30s", "sut/started", "pulse")
    assert share(log, 1.0) == (FAILED, "77.77 %: 28 of 36 looks answered")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_look_that_was_not_taken_at_all_times_is_inconclusive(kind: str) -> None:
    rest = tuple(one for one in KINDS if one != kind)
    assert share(looked({}, rest), 0.0)[0] is INCONCLUSIVE
    assert share(looked({}), 0.0, end="12m")[0] is PASSED
    assert share(looked({}), 0.0, end="12m1s")[0] is INCONCLUSIVE


def test_a_window_counts_what_lies_in_it() -> None:
    log = looked({(5, "health"): None})
    assert share(log, 1.0, between=["6m", "9m"]) == (PASSED, "100.00 %: 16 of 16 looks answered")
    assert share(log, 1.0, between=["5m", "9m"])[0] is FAILED
    assert share(log, 0.0, between=["5m", "11m"])[0] is INCONCLUSIVE


def test_a_system_that_never_started_was_not_looked_at() -> None:
    assert share(LogBuilder(started=False), 0.0)[0] is INCONCLUSIVE
