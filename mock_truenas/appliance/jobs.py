"""Jobs: methods that take a while. They move with the appliance's clock; nobody has to look for them to end.

Knows no method: a plan says how long, through which steps, and what comes out at the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from mock_truenas.appliance.changes import Change
from mock_truenas.appliance.living import Living

JobState = Literal["WAITING", "RUNNING", "SUCCESS", "FAILED", "ABORTED"]
_KEPT: Final = 1000
"""As many finished ones as an appliance remembers."""


class Plan(Protocol):
    """What a job will do (``api.methods.method.JobPlan``)."""

    @property
    def takes_ns(self) -> int: ...
    @property
    def result(self) -> Callable[[Any], Any]: ...
    @property
    def description(self) -> str: ...
    @property
    def steps(self) -> tuple[tuple[float, str], ...]: ...
    @property
    def abortable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: ``fraction`` from 0 to 1, ``text`` of the step it is at."""

    fraction: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. ``error`` is what went wrong in words, ``exc`` the exception itself."""

    id: int
    method: str
    arguments: tuple[Any, ...]
    state: JobState
    started_at_ns: int
    takes_ns: int
    description: str
    abortable: bool
    username: str | None
    progress: JobProgress = JobProgress()
    result: Any = None
    error: str | None = None
    exc: BaseException | None = None
    finished_at_ns: int | None = None
    message_ids: tuple[Any, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether it is over, in whatever way."""
        return self.finished_at_ns is not None


@dataclass(slots=True)
class _Work:
    job: Job
    plan: Plan
    ended: list[Callable[[Job], None]] = field(default_factory=list)


class Jobs:
    """The jobs of one appliance since it was booted."""

    def __init__(self, appliance: Living) -> None:
        self._appliance = appliance
        self._work: dict[int, _Work] = {}
        self._last = 0

    def start(
        self,
        method: str,
        arguments: Sequence[Any],
        plan: Plan,
        username: str | None = None,
        *,
        message_ids: Sequence[Any] = (),
        ended: Callable[[Job], None] | None = None,
    ) -> Job:
        """Start a job now. ``ended`` is called with it once it is over; one that takes no time is over on return."""
        appliance = self._appliance
        appliance.evolve()
        now_ns = appliance.now_ns()
        self._last += 1
        job = Job(
            id=self._last,
            method=method,
            arguments=tuple(arguments),
            state="RUNNING",
            started_at_ns=now_ns,
            takes_ns=max(0, plan.takes_ns),
            description=plan.description,
            abortable=plan.abortable,
            username=username,
            progress=JobProgress(0.0, next((text for part, text in plan.steps if part <= 0), "")),
            message_ids=tuple(message_ids),
        )
        work = self._work[job.id] = _Work(job, plan, [ended] if ended is not None else [])
        self._tell(job.id, "added")
        self._go_on(work, now_ns)
        self._forget()
        # One that took no time and rebooted the appliance is forgotten already.
        return self.get(job.id) if self._work.get(job.id) is work else work.job

    def get(self, number: int) -> Job:
        """A job as it stands now. Raises KeyError for one that is not (or no longer) known."""
        work = self._work[number]
        job = work.job
        if job.finished:
            return job
        passed_ns = max(0, self._appliance.now_ns() - job.started_at_ns)
        fraction = min(1.0, passed_ns / job.takes_ns) if job.takes_ns else 1.0
        return replace(job, progress=JobProgress(fraction, job.progress.text))

    def all(self) -> tuple[Job, ...]:
        """All jobs as they stand now, the oldest first."""
        return tuple(self.get(number) for number in self._work)

    def abort(self, number: int) -> Job:
        """Stop a job. One that is over stays as it is. Raises KeyError; ValueError when it cannot be aborted."""
        self._appliance.evolve()
        work = self._work[number]
        if not work.job.finished:
            if not work.job.abortable:
                raise ValueError(f"job {number} is not abortable")
            self._end(work, self._appliance.now_ns(), state="ABORTED")
        return work.job

    def when_ended(self, number: int, told: Callable[[Job], None]) -> None:
        """Call ``told`` once when a job is over, at once if it is. Raises KeyError."""
        work = self._work[number]
        if work.job.finished:
            told(work.job)
        else:
            work.ended.append(told)

    def tag(self, number: int, message_id: Any) -> None:
        """Note that a call with this id started or joined a job (``message_ids``). Raises KeyError."""
        work = self._work[number]
        work.job = replace(work.job, message_ids=(*work.job.message_ids, message_id))

    def lose(self) -> None:
        """Forget all jobs, as a reboot does; those that run are never heard of again, and numbers start anew."""
        for number in self._work:
            self._appliance.schedule.cancel(f"job {number}")
        self._work.clear()
        self._last = 0

    def _go_on(self, work: _Work, now_ns: int) -> None:
        """Show the step that is due, and see to the next one."""
        job, plan = work.job, work.plan
        due = [(job.started_at_ns + round(part * job.takes_ns), text) for part, text in plan.steps]
        text = next((text for at_ns, text in reversed(due) if at_ns <= now_ns), "")
        end_ns = job.started_at_ns + job.takes_ns
        if now_ns >= end_ns:
            self._finish(work, end_ns, text)
            return
        if text and text != job.progress.text:
            work.job = replace(job, progress=JobProgress((now_ns - job.started_at_ns) / job.takes_ns, text))
            self._tell(job.id, "changed")
        next_ns = min((at_ns for at_ns, _ in due if now_ns < at_ns < end_ns), default=end_ns)
        self._appliance.schedule.at(next_ns, f"job {job.id}", lambda at_ns: self._go_on(work, at_ns))

    def _finish(self, work: _Work, at_ns: int, text: str) -> None:
        try:
            result = work.plan.result(self._appliance)
        except Exception as exc:
            # What a method raises is what the job failed with; its frames would keep the whole call alive.
            self._end(work, at_ns, state="FAILED", error=str(exc), exc=exc.with_traceback(None))
            return
        if self._work.get(work.job.id) is work:
            progress = JobProgress(1.0, text or work.job.progress.text)
            self._end(work, at_ns, state="SUCCESS", result=result, progress=progress)

    def _end(self, work: _Work, at_ns: int, **fields: Any) -> None:
        if self._work.get(work.job.id) is not work:
            return
        self._appliance.schedule.cancel(f"job {work.job.id}")
        if "progress" not in fields:
            fields["progress"] = self.get(work.job.id).progress
        work.job = replace(work.job, finished_at_ns=at_ns, **fields)
        self._tell(work.job.id, "changed")
        for told in work.ended:
            told(work.job)
        work.ended.clear()

    def _forget(self) -> None:
        while len(self._work) > _KEPT:
            oldest = next((number for number, work in self._work.items() if work.job.finished), None)
            if oldest is None:
                return
            del self._work[oldest]

    def _tell(self, number: int, msg: Literal["added", "changed"]) -> None:
        self._appliance.tell(Change("core.get_jobs", msg, number))
