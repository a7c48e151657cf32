"""``core.get_jobs`` and what else is asked of jobs (truenas-api 3.8, 5.5). Starts none but ``core.job_wait``."""

import errno
from typing import Any, Final

from mock_truenas.api.errors import CallError, MethodError, ValidationErrors, errname
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.nas import Appliance


def row(job: Job, dialect: Dialect) -> dict[str, Any]:
    """A job as a version shows it."""
    return dialect.shaped(
        "core.get_jobs",
        {
            "id": job.id,
            "method": job.method,
            "arguments": list(job.arguments),
            "transient": False,
            "description": job.description or None,
            "abortable": job.abortable,
            "logs_path": None,
            "logs_excerpt": None,
            "progress": {
                "percent": int(job.progress.fraction * 100),
                "description": job.progress.text,
                "extra": None,
            },
            "result": job.result,
            "result_encoding_error": None,
            "error": _words(job),
            "exception": _trace(job),
            "exc_info": _exc_info(job.exc),
            "state": job.state,
            "time_started": date(job.started_at_ns),
            "time_finished": date(job.finished_at_ns) if job.finished_at_ns is not None else None,
            "credentials": {"type": "API_KEY", "data": {"username": job.username}} if job.username else None,
            "message_ids": list(job.message_ids),
        },
    )


def _words(job: Job) -> str | None:
    """What went wrong; with the name of its number, as a CallError prints itself."""
    if isinstance(job.exc, CallError):
        return f"[{errname(job.exc.errno)}] {job.exc.message}"
    return job.error


def _trace(job: Job) -> str | None:
    if job.exc is None:
        return None
    return f"Traceback (most recent call last):\n{type(job.exc).__name__}: {_words(job)}\n"


def _exc_info(exc: BaseException | None) -> dict[str, Any] | None:
    if exc is None:
        return None
    told: dict[str, Any] = {"repr": repr(exc), "type": "EXCEPTION", "errno": None, "extra": None}
    if isinstance(exc, CallError):
        told |= {"type": "CALLERROR", "errno": exc.errno, "extra": exc.extra}
    elif isinstance(exc, ValidationErrors):
        told |= {"type": "VALIDATION", "extra": [list(problem) for problem in exc.problems]}
    return told


def _rows(call: Call) -> list[dict[str, Any]]:
    who = call.principal
    sees_all = who is None or "FULL_ADMIN" in who.roles or not who.roles
    jobs = call.appliance.jobs.all()
    return [row(job, call.dialect) for job in jobs if sees_all or (who is not None and job.username == who.username)]


def _job_of(call: Call) -> Job:
    try:
        return call.appliance.jobs.get(call.arguments["id"])
    except KeyError:
        raise CallError("No such job", errno.ENOENT) from None


def _abort(call: Call) -> None:
    job = _job_of(call)
    try:
        call.appliance.jobs.abort(job.id)
    except ValueError:
        raise CallError("Job is not abortable", errno.EINVAL) from None


def _wait(call: Call) -> JobPlan:
    """A job that ends with another, and as it does."""
    waited_for = _job_of(call)
    left_ns = 0 if waited_for.finished else waited_for.started_at_ns + waited_for.takes_ns - call.appliance.now_ns()

    def result(appliance: Appliance) -> Any:
        try:
            job = appliance.jobs.get(waited_for.id)
        except KeyError:
            raise CallError("No such job", errno.ENOENT) from None
        if isinstance(job.exc, MethodError):
            raise job.exc
        if job.state != "SUCCESS":
            raise CallError(job.error or "Job was aborted")
        return job.result

    return JobPlan(max(0, left_ns), result)


METHODS: Final = (
    Method("core.get_jobs", "Jobs, the oldest first", _rows, kind=Kind.CALL, access=Access.LOGIN, filterable=True),
    Method("core.job_abort", "Stop a job", _abort, (Param("id", int),), access=Access.LOGIN),
    Method("core.job_wait", "Wait for the end of a job", _wait, (Param("id", int),), access=Access.LOGIN, job=True),
)
