"""When a system may show what it knew before: after a connection began, while it was down, under a fault."""

import pytest

from pulse_sim.checks.excuses import Excuse, excuses
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder

LAG, HEAL = 2 * MINUTE, 3 * MINUTE


def spans(builder: LogBuilder, lag_ns: int = LAG, heal_ns: int = HEAL) -> list[tuple[float, float, bool, bool]]:
    """In minutes: from, to, is_new, is_faulty."""
    log = builder.log("60m")
    found = excuses(log, log.connections["nas-1"], lag_ns, heal_ns)
    return [(one.from_ns / MINUTE, one.to_ns / MINUTE, one.is_new, one.is_faulty) for one in found]


FIRST = (0, 2, True, False)


def test_a_connection_is_new_for_the_lag() -> None:
    assert spans(LogBuilder()) == [FIRST]
    late = LogBuilder({}).action("10m", "add_connection", id="nas-1", appliance="nas-1")
    assert spans(late) == [(0, 2, True, False), (10, 12, True, False)]


def test_a_connection_configured_again_is_excused_again_but_not_new() -> None:
    again = LogBuilder().action("10m", "disable_connection", id="nas-1").action("20m", "enable_connection", id="nas-1")
    assert spans(again) == [FIRST, (20, 22, False, False)]


def test_the_time_down_and_the_lag_after_it_are_excused() -> None:
    down = LogBuilder().add("10m", "sut/stopped", "pulse").add("15m", "sut/started", "pulse")
    assert spans(down) == [FIRST, (10, 17, False, False)]
    late = LogBuilder(started=False).add("10m", "sut/started", "pulse")
    assert spans(late) == [(0, 12, True, False)]


@pytest.mark.parametrize("kind", ["net.down", "auth.revoke_key", "payload.null_field"])
def test_a_fault_on_the_way_is_excused_until_a_while_after_its_end(kind: str) -> None:
    assert spans(LogBuilder().fault("10m", "15m", kind=kind)) == [FIRST, (10, 18, False, True)]


@pytest.mark.parametrize("kind", ["pool.status", "disk.fail", "service.stop", "reporting.gap", "job.fail"])
def test_a_fault_that_leaves_the_appliance_readable_is_not(kind: str) -> None:
    assert spans(LogBuilder().fault("10m", "15m", kind=kind)) == [FIRST]


def test_a_fault_elsewhere_counts_where_it_lies_before_the_connection() -> None:
    both = {"nas-1": "nas-1", "nas-2": "nas-2"}
    assert spans(LogBuilder(both).fault("10m", "15m", on="nas-2")) == [FIRST]
    shared = LogBuilder(both).fault("10m", "15m", on="uplink", connections=["nas-2", "nas-1"])
    assert spans(shared) == [FIRST, (10, 18, False, True)]


def test_spans_that_touch_are_one_and_keep_what_either_said() -> None:
    touching = LogBuilder().fault("2m", "3m", kind="net.down").fault("6m", "7m", fault="f2")
    assert spans(touching) == [(0, 10, True, True)]
    inside = LogBuilder().fault("10m", "20m").fault("11m", "12m", fault="f2")
    assert spans(inside) == [FIRST, (10, 23, False, True)]
    apart = LogBuilder().fault(2 * MINUTE + 1, "3m", kind="net.down")
    assert len(spans(apart)) == 2


def test_an_excuse_says_from_when_on_data_may_be_old() -> None:
    log = LogBuilder().log("60m")
    assert excuses(log, log.connections["nas-1"], LAG, HEAL) == [Excuse(0, LAG, True, False)]
