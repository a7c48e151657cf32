"""Jobs move with the appliance's clock, through their steps to an end."""

from dataclasses import dataclass
from typing import Any

import pytest

from mock_truenas.appliance.changes import Change
from tests.mock_truenas.nases import MINUTE, SECOND, START_NS, Work, aged

STEPS = ((0.0, "Preparing"), (0.5, "Copying"), (0.9, "Finishing"))


def test_a_job_goes_through_its_steps_and_makes_its_result_at_the_end() -> None:
    home = aged()
    seen: list[tuple[str, float, str]] = []
    job = home.nas.jobs.start("x.copy", [1, "a"], Work(100 * SECOND, lambda nas: nas.now_ns(), steps=STEPS), "root")
    assert (job.id, job.method, job.arguments, job.username, job.result) == (1, "x.copy", (1, "a"), "root", None)
    for _ in range(5):
        shown = home.nas.jobs.get(1)
        seen.append((shown.state, shown.progress.fraction, shown.progress.text))
        home.wait(25 * SECOND)
    assert seen == [
        ("RUNNING", 0.0, "Preparing"),
        ("RUNNING", 0.25, "Preparing"),
        ("RUNNING", 0.5, "Copying"),
        ("RUNNING", 0.75, "Copying"),
        ("SUCCESS", 1.0, "Finishing"),
    ]
    ended = home.nas.jobs.get(1)
    # The result was made at the instant it ended, though nobody looked until much later.
    assert (ended.result, ended.finished_at_ns) == (START_NS + 100 * SECOND,) * 2


def test_whoever_watches_is_told_of_start_steps_and_end() -> None:
    home = aged()
    told: list[Change] = []
    end = home.nas.watch(told.append)
    home.nas.jobs.start("x.y", [], Work(10 * SECOND, steps=STEPS))
    home.wait(MINUTE)
    end()
    home.nas.jobs.start("x.y", [], Work())
    assert [(change.collection, change.msg, change.id) for change in told] == [
        ("core.get_jobs", "added", 1),
        ("core.get_jobs", "changed", 1),
        ("core.get_jobs", "changed", 1),
        ("core.get_jobs", "changed", 1),
    ]


def test_a_job_without_duration_is_over_when_it_is_started() -> None:
    job = aged().nas.jobs.start("x.y", [], Work(result=lambda _: 42))
    assert (job.state, job.result, job.progress.fraction, job.finished) == ("SUCCESS", 42, 1.0, True)


@dataclass
class Refusal(Exception):
    text: str

    def __str__(self) -> str:
        return self.text


def test_a_job_whose_result_raises_has_failed_with_the_words_and_the_exception() -> None:
    def result(_: Any) -> Any:
        raise Refusal("no space left")

    home = aged()
    home.nas.jobs.start("x.y", [], Work(SECOND, result))
    job = home.wait(SECOND).jobs.get(1)
    assert (job.state, job.error, type(job.exc), job.result) == ("FAILED", "no space left", Refusal, None)
    assert job.exc is not None
    assert job.exc.__traceback__ is None


def test_an_aborted_job_stays_where_it_was_and_makes_no_result() -> None:
    home = aged()
    made: list[int] = []
    home.nas.jobs.start("x.y", [], Work(100 * SECOND, lambda _: made.append(1), abortable=True))
    home.wait(30 * SECOND)
    job = home.nas.jobs.abort(1)
    assert (job.state, job.progress.fraction, job.finished_at_ns) == ("ABORTED", 0.3, START_NS + 30 * SECOND)
    home.wait(MINUTE * 10)
    assert (made, home.nas.jobs.get(1)) == ([], job)
    assert home.nas.jobs.abort(1) == job


def test_a_job_that_cannot_be_aborted_says_so_and_an_unknown_one_is_unknown() -> None:
    home = aged()
    home.nas.jobs.start("x.y", [], Work(SECOND))
    with pytest.raises(ValueError, match="job 1 is not abortable"):
        home.nas.jobs.abort(1)
    for ask in (home.nas.jobs.get, home.nas.jobs.abort):
        with pytest.raises(KeyError):
            ask(7)


def test_a_reboot_loses_jobs_and_starts_their_numbers_anew() -> None:
    home = aged()
    made: list[int] = []
    home.nas.jobs.start("x.y", [], Work(100 * SECOND, lambda _: made.append(1)))
    home.nas.reboot(takes_ns=10 * SECOND)
    assert home.nas.jobs.all() == ()
    home.wait(10 * MINUTE)
    assert made == []
    assert home.nas.jobs.start("x.z", [], Work()).id == 1


def test_a_job_may_start_another_and_change_the_appliance_as_it_ends() -> None:
    home = aged()

    def result(nas: Any) -> int:
        nas.change_dataset("tank", readonly=True)
        return int(nas.jobs.start("inner", [], Work(SECOND)).id)

    home.nas.jobs.start("outer", [], Work(SECOND, result))
    home.wait(MINUTE)
    outer, inner = home.nas.jobs.all()
    assert (outer.result, inner.state, home.nas.state.datasets["tank"].readonly) == (2, "SUCCESS", True)
    assert inner.finished_at_ns == START_NS + 2 * SECOND


def test_those_who_wait_for_a_job_are_told_once() -> None:
    home = aged()
    told: list[str] = []
    home.nas.jobs.start("x.y", [], Work(SECOND))
    home.nas.jobs.when_ended(1, lambda job: told.append(job.state))
    home.wait(MINUTE)
    home.nas.jobs.when_ended(1, lambda job: told.append(f"late {job.state}"))
    home.wait(MINUTE)
    assert told == ["SUCCESS", "late SUCCESS"]


def test_a_call_that_joins_a_job_is_noted_with_it() -> None:
    home = aged()
    home.nas.jobs.start("x.y", [], Work(SECOND), message_ids=["a"])
    home.nas.jobs.tag(1, 7)
    assert home.nas.jobs.get(1).message_ids == ("a", 7)


def test_a_thousand_finished_jobs_are_remembered_and_no_more() -> None:
    nas = aged().nas
    running = nas.jobs.start("x.long", [], Work(MINUTE)).id
    for _ in range(1005):
        nas.jobs.start("x.y", [], Work())
    numbers = [job.id for job in nas.jobs.all()]
    assert (len(numbers), numbers[0], numbers[1], numbers[-1]) == (1000, running, 8, 1006)
