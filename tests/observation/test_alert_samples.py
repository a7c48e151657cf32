"""What the page of active alerts showed is put together again from its differences, or the log is damaged."""

import pytest

from pulse_sim.observation import LogDamaged, RunLog
from tests.checks.log_builder import LogBuilder

STALE = {"rule": "stale", "instance": "nas-1"}


def looked(*looks: tuple[dict[str, dict[str, str]], list[str]], status: int | None = 200) -> RunLog:
    log = LogBuilder()
    for minute, (changed, gone) in enumerate(looks, start=1):
        log.add(f"{minute}m", "sampler/alerts", "pulse", status=status, error=None, changed=changed, gone=gone)
    return log.log("10m")


def test_alerts_are_there_until_a_look_takes_them_away() -> None:
    samples = looked(({"a": STALE}, []), ({"b": STALE}, []), ({}, ["a"]), ({}, [])).alerts("pulse")
    assert [sorted(sample.by_id) for sample in samples] == [["a"], ["a", "b"], ["b"], ["b"]]
    assert samples[0].by_id["a"] == STALE


def test_a_look_that_was_not_answered_is_no_sample() -> None:
    assert looked(({}, []), status=404).alerts("pulse") == []
    assert looked(({}, [])).alerts("other") == []


def test_alerts_that_cannot_have_been_seen_are_damage() -> None:
    with pytest.raises(LogDamaged, match="was not there"):
        looked(({}, ["a"]))
    with pytest.raises(LogDamaged, match="cannot have seen a change"):
        looked(({"a": STALE}, []), status=503)
    with pytest.raises(LogDamaged, match="wrong shape"):
        looked(({"a": {"rule": 5}}, []))  # type: ignore[dict-item]
