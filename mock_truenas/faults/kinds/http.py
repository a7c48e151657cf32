"""Faults of single HTTP answers, as data."""

import gzip
from typing import Annotated, Final, Literal

from pydantic import Field

from mock_truenas.api.answer import NO_SUCH_ITEM, Answer, middleware_error, nginx_page, text
from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, RequestParameters, Stage, Witness


class Delay(RequestParameters):
    delay: Duration = Field(description="How long the answer is held back, such as 15s")


class Silence(RequestParameters):
    pass


class Status(RequestParameters):
    status: Annotated[int, Field(ge=400, le=599)] = Field(description="The status answered instead")
    body: Literal["nginx", "middleware"] = Field("nginx", description="Whose error body: the front's page or the API's")


class NotFound(RequestParameters):
    form: Literal["route", "item"] = Field(
        "route", description="Plain text as for an unknown path, or JSON as for an unknown id"
    )


class TruncateBody(RequestParameters):
    keep_bytes: Annotated[int, Field(ge=0)] = Field(0, description="Body bytes sent before the connection is closed")


class MalformedBody(RequestParameters):
    pass


class GzipCut(RequestParameters):
    keep_bytes: Annotated[int, Field(ge=0)] = Field(40, description="Bytes of the compressed body that are there")


class Reset(RequestParameters):
    after_bytes: Annotated[int, Field(ge=0)] = Field(0, description="Body bytes sent before the connection is reset")


def _status_errors(status: int) -> tuple[str, ...]:
    # The classes a client sorts these statuses into (pulse-contract A3); the other side judges, so both are named.
    special = {401: "auth", 403: "auth", 408: "timeout", 504: "timeout"}
    return (special.get(status, "api"),)


def _break_json(answer: Answer) -> Answer:
    """Half of the body with an error page spliced in: complete for HTTP, never JSON, whatever the body was."""
    half = answer.body[: len(answer.body) // 2]
    return Answer(answer.status, half + nginx_page(502).body, answer.content_type, answer.headers)


def _cut_gzip(keep_bytes: int) -> Effect:
    def rewrite(answer: Answer) -> Answer:
        packed = gzip.compress(answer.body, mtime=0)
        headers = (*answer.headers, ("Content-Encoding", "gzip"))
        return Answer(answer.status, packed[: min(keep_bytes, len(packed) - 1)], answer.content_type, headers)

    return Effect(rewrite=rewrite)


def delay_witness(delay_ns: int) -> Witness:
    """Signs of an answer that came so much later, or that nobody waited for."""
    return Witness(
        journal=(
            {"fault": True, "duration_at_least_ns": delay_ns},
            {"fault": True, "ended": ["client_gone"]},
        ),
        poll_errors=("timeout",),
        poll_slower_than_ns=delay_ns,
    )


def _status_answer(parameters: Status) -> Answer:
    return nginx_page(parameters.status) if parameters.body == "nginx" else middleware_error(parameters.status)


KINDS: Final = (
    FaultKind(
        name="http.delay",
        doc="Hold every answer back for a time, then send it.",
        parameters=Delay,
        stage=Stage.DELAY,
        witness=lambda parameters: delay_witness(parameters.delay),
        effect=lambda parameters: Effect(delay_ns=parameters.delay),
    ),
    FaultKind(
        name="http.silence",
        doc="Accept the request and never answer it.",
        parameters=Silence,
        stage=Stage.DROP,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["silent"]},), poll_errors=("timeout",)),
        effect=lambda _: Effect(silent=True),
    ),
    FaultKind(
        name="http.status",
        doc="Answer with an error status, with the front's page or the API's own error body.",
        parameters=Status,
        stage=Stage.STATUS,
        witness=lambda parameters: Witness(
            journal=({"fault": True, "status": [parameters.status]},), poll_errors=_status_errors(parameters.status)
        ),
        effect=lambda parameters: Effect(answer=_status_answer(parameters)),
    ),
    FaultKind(
        name="http.not_found",
        doc="Answer 404 as for a path that is no route, or as for an id that does not exist.",
        parameters=NotFound,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True, "status": [404]},), poll_errors=("api", "not_found")),
        effect=lambda parameters: Effect(answer=text(404) if parameters.form == "route" else NO_SUCH_ITEM),
    ),
    FaultKind(
        name="http.truncate_body",
        doc="Promise the whole body in Content-Length, send a part, close the connection.",
        parameters=TruncateBody,
        stage=Stage.BODY,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["cut"]},), poll_errors=("api",)),
        effect=lambda parameters: Effect(keep_bytes=parameters.keep_bytes),
    ),
    FaultKind(
        name="http.malformed_body",
        doc="Send a complete answer whose body is broken JSON.",
        parameters=MalformedBody,
        stage=Stage.BODY,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["complete"]},), poll_errors=("api",)),
        effect=lambda _: Effect(rewrite=_break_json),
    ),
    FaultKind(
        name="http.gzip_cut",
        doc="Compress the body and send only its beginning, as an answer that is complete for HTTP.",
        parameters=GzipCut,
        stage=Stage.BODY,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["complete"]},), poll_errors=("api",)),
        effect=lambda parameters: _cut_gzip(parameters.keep_bytes),
    ),
    FaultKind(
        name="http.reset",
        doc="Reset the connection in the middle of the answer.",
        parameters=Reset,
        stage=Stage.PACE,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["reset"]},), poll_errors=("connection", "api")),
        effect=lambda parameters: Effect(reset_after=parameters.after_bytes),
    ),
)
