"""Runs that are aborted: what ends them, what is done then, and what is left undone."""

from pathlib import Path
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests import broken
from tests.broken.expectations import scenario_of
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.sut.plugins import NeverUp

REFUSED = {"at": "3m", "for": "40m", "fault": "auth.revoke_key", "on": "nas-1", "id": "key"}
LATER = {"at": "30m", "do": "disable_connection", "with": {"id": "nas-1"}}
LATER_FAULT = {"at": "31m", "for": "2m", "fault": "net.down", "on": "nas-1", "id": "later"}
REMOVED = {"after": "20s", "do": "remove_connection", "with": {"id": "nas-1"}}
ASKED = {"after": "1m", "do": "ask_system", "with": {"path": "/api/health"}}
EXPECTED = {"criterion": "auth_errors", "between": ["13m", "25m"]}


def aborted(directory: Path, seed: int = 1, **parts: Any) -> Rehearsed:
    """A key is revoked at 3m for good: refused logins for longer than ten minutes."""
    whole = {"timeline": [REFUSED, LATER, LATER_FAULT], "abort": ["auth_errors"], "duration": "1h", **parts}
    return rehearse(directory, scenario(**whole), seed=seed)


def abort_ns(done: Rehearsed) -> int:
    (abort,) = done.of("world/abort")
    return abort.time_ns


def test_an_abort_is_recorded_right_behind_the_record_it_fired_by(tmp_path: Path) -> None:
    done = aborted(tmp_path)
    (abort,) = done.of("world/abort")
    assert abort.data["criterion"] == "auth_errors"
    assert abort.data["what"] == "auth errors of nas-1 for more than 10m"
    assert abort.data["evidence"][-1] == abort.seq - 1
    assert done.log.end_reason == "aborted"


def test_without_a_rollback_the_run_ends_at_once_healed_and_looked_at(tmp_path: Path) -> None:
    done = aborted(tmp_path)
    at_ns = abort_ns(done)
    assert done.log.end_ns - at_ns < SECOND
    assert [(heal.subject, heal.time_ns) for heal in done.of("fault/heal")] == [("key", at_ns)]
    assert [record.kind for record in done.log.records if record.time_ns > at_ns][:2] == ["metrics", "health"]
    assert not done.of("world/rollback")


def test_nothing_of_the_timeline_happens_after_an_abort(tmp_path: Path) -> None:
    done = aborted(tmp_path, rollback=[REMOVED], settle_after_abort="30m")
    assert done.log.end_ns > 40 * MINUTE
    assert [action.data["do"] for action in done.of("operator/action")] == ["add_connection", "remove_connection"]
    assert [fault.subject for fault in done.of("fault/inject")] == ["key"]
    assert [heal.time_ns for heal in done.of("fault/heal")] == [43 * MINUTE]


def test_a_rollback_is_carried_out_at_its_times_and_settles(tmp_path: Path) -> None:
    done = aborted(tmp_path, rollback=[ASKED, REMOVED], settle_after_abort="6m")
    at_ns = abort_ns(done)
    begun, (removed, asked) = done.of("world/rollback")[0], done.of("operator/action")[1:]
    assert (begun.time_ns, begun.data["actions"], begun.data["until_ns"]) == (at_ns, 2, at_ns + 7 * MINUTE)
    assert [action.data["do"] for action in (removed, asked)] == ["remove_connection", "ask_system"]
    assert 0 <= removed.time_ns - at_ns - 20 * SECOND < SECOND
    assert 0 <= asked.time_ns - at_ns - 60 * SECOND < SECOND
    assert 0 <= done.log.end_ns - begun.data["until_ns"] < SECOND
    looks = [record.time_ns - at_ns for record in done.of("sampler/resources") if record.time_ns > at_ns]
    assert {look // (30 * SECOND) for look in looks} >= set(range(1, 14))


def test_a_fault_stays_while_the_rollback_works_and_ends_with_the_run(tmp_path: Path) -> None:
    done = aborted(tmp_path, rollback=[REMOVED], settle_after_abort="5m")
    (heal,) = done.of("fault/heal")
    assert heal.time_ns == done.of("world/rollback")[0].data["until_ns"]


def test_an_abort_near_the_end_moves_the_end(tmp_path: Path) -> None:
    calm = [{**REFUSED, "for": "15m"}]
    done = aborted(tmp_path, timeline=calm, duration="26m", rollback=[REMOVED], settle_after_abort="20m")
    assert done.log.end_ns > 30 * MINUTE
    assert done.log.end_reason == "aborted"


def test_an_expected_abort_passes_with_what_follows_it(tmp_path: Path) -> None:
    checks = [
        {"check": "rolled_back", "by": "kill_switch"},
        {"check": "poll_errors", "connection": "nas-1", "error_type": "auth", "at_least": 3},
    ]
    done = aborted(tmp_path, checks=checks, expect_abort=EXPECTED, rollback=[REMOVED], settle_after_abort="6m")
    assert [(result.check, result.reason) for result in done.results if result.reason] == []
    assert done.outcome is Outcome.PASSED


def test_an_unexpected_abort_lets_nothing_pass(tmp_path: Path) -> None:
    done = aborted(tmp_path)
    outcomes = {result.check: result.outcome for result in done.results}
    assert outcomes.pop("abort_criteria") is Outcome.FAILED
    assert set(outcomes.values()) == {Outcome.INCONCLUSIVE}


def test_an_abort_that_does_not_come_rolls_nothing_back_and_fails(tmp_path: Path) -> None:
    done = aborted(
        tmp_path,
        timeline=[{**REFUSED, "for": "9m"}],
        checks=[{"check": "rolled_back", "by": "kill_switch"}],
        expect_abort=EXPECTED,
        rollback=[REMOVED],
    )
    assert done.log.end_reason == "completed"
    assert not [action for action in done.of("operator/action") if action.data["do"] == "remove_connection"]
    assert done.outcome_of("abort_criteria") is Outcome.FAILED
    assert done.outcome_of("rolled_back") is Outcome.INCONCLUSIVE


def test_a_rollback_to_the_flag_and_to_the_version_before_show(tmp_path: Path) -> None:
    for by, given in (
        ("disable", {"environment": {"PULSE_ENABLE_TRUENAS": "false"}}),
        ("previous_version", {"variant": "without-truenas"}),
    ):
        done = aborted(
            tmp_path / by,
            checks=[{"check": "rolled_back", "by": by}],
            expect_abort=EXPECTED,
            rollback=[{"after": "10s", "do": "restart_system", "with": given}],
        )
        assert [(result.check, result.reason) for result in done.results if result.reason] == []


def test_a_rollback_that_leaves_polls_going_is_told(tmp_path: Path) -> None:
    done = aborted(
        tmp_path,
        checks=[{"check": "rolled_back", "by": "disable"}],
        expect_abort=EXPECTED,
        rollback=[{"after": "10s", "do": "restart_system", "with": {"environment": {"PULSE_ENABLE_TRUENAS": "yes"}}}],
    )
    assert done.outcome_of("rolled_back") is Outcome.FAILED


def test_the_same_seed_is_aborted_the_same_way(tmp_path: Path) -> None:
    rolled = {"rollback": [REMOVED], "settle_after_abort": "2m"}
    one, other, third = (aborted(tmp_path / str(n), seed=seed, **rolled) for n, seed in enumerate((5, 5, 6)))
    assert one.trace_digest == other.trace_digest != third.trace_digest


def refuse() -> None:
    raise OSError


def test_a_system_that_does_not_start_is_a_crash_and_ends_the_run(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(abort="safety"), factory=lambda place: NeverUp(place, refuse))
    assert (done.log.end_reason, done.log.end_ns < MINUTE) == ("aborted", True)
    assert done.of("world/abort")[0].data["criterion"] == "crash"


def test_criteria_that_were_not_chosen_end_nothing(tmp_path: Path) -> None:
    assert aborted(tmp_path, abort="safety").log.end_reason == "completed"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("name", "criterion"),
    [
        ("forgets_on_failure", "corruption"),
        ("pools_merged", "corruption"),
        ("drags_others_along", "interference"),
        ("bad_answer_kills", "crash"),
    ],
)
def test_a_broken_stack_is_stopped_by_the_criterion_it_breaks_and_the_good_one_goes_on(
    name: str, criterion: str, tmp_path: Path
) -> None:
    text = scenario_of(name).read_text("utf-8")
    done = rehearse(tmp_path / "broken", text, factory=getattr(broken, name))
    assert done.log.end_reason == "aborted"
    assert [abort.data["criterion"] for abort in done.of("world/abort")] == [criterion]
    assert done.outcome_of("abort_criteria") is Outcome.FAILED
    assert rehearse(tmp_path / "good", text).log.end_reason == "completed"
