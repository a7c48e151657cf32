"""source_status and resource_status on handwritten logs."""

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def sources(*samples: tuple[str, str]) -> LogBuilder:
    log = LogBuilder()
    for time, status in samples:
        log.resources(time, {} if status == "absent" else {"nas-1": {"source": status}})
    return log


def source(builder: LogBuilder, is_: str, end: str = "30m", **moment: object) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "source_status", connection="nas-1", is_=is_, **moment)
    return result.outcome, result.observed


def test_by_wants_one_sample_after_the_first_time_and_up_to_the_second() -> None:
    log = sources(("5m", "stale"), ("8m", "online"), ("10m", "stale"))
    assert source(log, "stale", by="8m", after="5m") == (FAILED, "never stale, last online")
    assert source(log, "stale", by="8m", after="4m59s") == (PASSED, "stale at 5m")
    assert source(log, "stale", by="10m", after="5m") == (PASSED, "stale at 10m")


def test_at_takes_the_last_sample_at_or_before() -> None:
    log = sources(("5m", "online"), ("10m", "stale"))
    assert source(log, "online", at="9m59s") == (PASSED, "online at 5m")
    assert source(log, "online", at="10m") == (FAILED, "stale at 10m")


def test_between_wants_every_sample_ends_included() -> None:
    log = sources(("5m", "stale"), ("10m", "online"), ("15m", "online"), ("20m", "stale"))
    assert source(log, "online", between=["5m1s", "19m59s"]) == (PASSED, "online in 2 of 2 samples")
    assert source(log, "online", between=["5m", "15m"]) == (FAILED, "stale at 5m")
    assert source(log, "online", between=["10m", "20m"]) == (FAILED, "stale at 20m")


def test_a_system_that_no_longer_shows_a_connection_does_not_show_it_stale() -> None:
    log = sources(("5m", "online"), ("10m", "absent"))
    assert source(log, "stale", by="10m", after="5m") == (FAILED, "never stale, last absent")
    assert source(log, "stale", between=["6m", "11m"]) == (FAILED, "absent at 10m")


def test_samples_older_than_three_intervals_tell_nothing() -> None:
    log = sources(("5m", "online"))
    assert source(log, "online", at="20m") == (PASSED, "online at 5m")
    assert source(log, "online", at="20m1s")[0] is INCONCLUSIVE
    assert source(log, "stale", by="20m")[0] is FAILED
    assert source(log, "stale", by="20m1s")[0] is INCONCLUSIVE
    assert source(log, "online", between=["4m", "20m"])[0] is PASSED
    assert source(log, "online", between=["4m", "20m1s"])[0] is INCONCLUSIVE


def test_time_the_system_was_down_is_no_gap() -> None:
    log = sources(("5m", "online")).add("6m", "sut/stopped", "pulse").add("16m", "sut/started", "pulse")
    log.resources("17m", {"nas-1": {"source": "online"}})
    assert source(log, "online", between=["5m", "29m"])[0] is PASSED


def test_no_sample_no_connection_and_no_system_are_inconclusive() -> None:
    assert source(LogBuilder(), "online", by="5m")[0] is INCONCLUSIVE
    assert source(LogBuilder().missed("5m", "resources", status=500), "online", by="6m")[0] is INCONCLUSIVE
    assert source(LogBuilder({}), "online", by="5m") == (INCONCLUSIVE, "the log has no connection nas-1")
    assert source(LogBuilder(started=False), "online", by="5m")[0] is INCONCLUSIVE
    assert source(sources(("5m", "online")), "online", end="6m", between=["4m", "7m"])[0] is INCONCLUSIVE


def test_a_resource_is_found_by_its_source_id() -> None:
    log = LogBuilder().resources("5m", {"nas-1": {}, "nas-1/pool:tank": {"status": "warning"}}).log("6m")
    tank = judge(log, "resource_status", resource="nas-1/pool:tank", is_="warning", at="5m")
    assert (tank.outcome, tank.observed) == (PASSED, "warning at 5m")
    assert judge(log, "resource_status", resource="nas-1/pool:tank", is_="online", at="5m").outcome is FAILED
    assert judge(log, "resource_status", resource="nas-1/pool:tonk", is_="online", at="5m").outcome is INCONCLUSIVE


def test_a_resource_that_vanished_has_no_status() -> None:
    log = LogBuilder().resources("5m", {"nas-1": {}, "nas-1/pool:tank": {}}).resources("10m", {"nas-1": {}}).log("11m")
    result = judge(log, "resource_status", resource="nas-1/pool:tank", is_="online", at="10m")
    assert (result.outcome, result.observed) == (FAILED, "absent at 10m")
