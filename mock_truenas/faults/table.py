"""The fault kinds of the appliance, as data. How they are carried out stands elsewhere."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from mock_truenas.api.answer import Answer, middleware_error, nginx_page
from mock_truenas.durations import Duration
from mock_truenas.faults.kind import (
    CertificateOrder,
    Effect,
    FaultKind,
    Handshake,
    Keyring,
    Parameters,
    RequestParameters,
    Stage,
    Witness,
)


class Delay(RequestParameters):
    delay: Duration = Field(description="How long the answer is held back, such as 15s")


class Silence(RequestParameters):
    pass


class Status(RequestParameters):
    status: Annotated[int, Field(ge=400, le=599)] = Field(description="The status answered instead")
    body: Literal["nginx", "middleware"] = Field("nginx", description="Whose error body: the front's page or the API's")


class TruncateBody(RequestParameters):
    keep_bytes: Annotated[int, Field(ge=0)] = Field(0, description="Body bytes sent before the connection is closed")


class MalformedBody(RequestParameters):
    pass


class Reset(RequestParameters):
    after_bytes: Annotated[int, Field(ge=0)] = Field(0, description="Body bytes sent before the connection is reset")


class RevokeKey(Parameters):
    key: str = Field("*", description="Glob on the names of the API keys to revoke")


class Down(Parameters):
    pass


class NoParameters(Parameters):
    pass


class WrongName(Parameters):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$", max_length=253)] = Field(
        "other.invalid", description="The one DNS name the certificate is for"
    )


def _status_errors(parameters: Status) -> tuple[str, ...]:
    # The classes a client sorts these statuses into (pulse-contract A3); the other side judges, so both are named.
    special = {401: "auth", 403: "auth", 408: "timeout", 504: "timeout"}
    return (special.get(parameters.status, "api"),)


def _break_json(answer: Answer) -> Answer:
    """Half of the body with an error page spliced in: complete for HTTP, never JSON, whatever the body was."""
    half = answer.body[: len(answer.body) // 2]
    return Answer(answer.status, half + nginx_page(502).body, answer.content_type, answer.headers)


def _delay_witness(parameters: Delay) -> Witness:
    return Witness(
        journal=(
            {"fault": True, "duration_at_least_ns": parameters.delay},
            {"fault": True, "ended": ["client_gone"]},
        ),
        poll_errors=("timeout",),
        poll_slower_than_ns=parameters.delay,
    )


def _status_answer(parameters: Status) -> Answer:
    return nginx_page(parameters.status) if parameters.body == "nginx" else middleware_error(parameters.status)


def _revoke(parameters: RevokeKey) -> Effect:
    def change(keyring: Keyring, fault_id: str) -> None:
        keyring.revoke(parameters.key, by=fault_id)

    def undo(keyring: Keyring, fault_id: str) -> None:
        keyring.restore("*", by=fault_id)

    return Effect(change=change, undo=undo)


def _shows(order: CertificateOrder) -> Effect:
    return Effect(handshake=Handshake(certificate=order))


def _distrust(_: Parameters) -> Witness:
    # A client that pins, or verifies chain and name, sorts this under validation (pulse-contract A3). One that skips
    # both cannot notice, and then nothing shows that the fault took effect.
    return Witness(poll_errors=("validation",))


_KINDS: Final = (
    FaultKind(
        name="http.delay",
        doc="Hold every answer back for a time, then send it.",
        parameters=Delay,
        stage=Stage.DELAY,
        witness=_delay_witness,
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
            journal=({"fault": True, "status": [parameters.status]},), poll_errors=_status_errors(parameters)
        ),
        effect=lambda parameters: Effect(answer=_status_answer(parameters)),
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
        name="http.reset",
        doc="Reset the connection in the middle of the answer.",
        parameters=Reset,
        stage=Stage.PACE,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["reset"]},), poll_errors=("connection", "api")),
        effect=lambda parameters: Effect(reset_after=parameters.after_bytes),
    ),
    FaultKind(
        name="auth.revoke_key",
        doc="Revoke the API keys that exist now; healing makes the same keys valid again.",
        parameters=RevokeKey,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True, "status": [401]},), poll_errors=("auth",)),
        effect=_revoke,
    ),
    FaultKind(
        name="appliance.down",
        doc="Close the front door: stop listening and drop every connection.",
        parameters=Down,
        stage=Stage.REFUSE,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["reset"]},), poll_errors=("connection",)),
        effect=lambda _: Effect(closes_door=True),
    ),
    FaultKind(
        name="tls.expired",
        doc="Show new connections a certificate of the same key that ran out (valid 2000 to 2001).",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda _: _shows(CertificateOrder(years=(2000, 2001))),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.not_yet_valid",
        doc="Show new connections a certificate of the same key that is not valid before 2098.",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda _: _shows(CertificateOrder(years=(2098, 2099))),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.wrong_name",
        doc="Show new connections a certificate of the same key that is for another name.",
        parameters=WrongName,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda parameters: _shows(CertificateOrder(name=parameters.name)),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.rotated",
        doc="Show new connections a sound certificate with a new key, as after a renewal; only a pin can tell.",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda _: _shows(CertificateOrder(new_key=True)),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.stalled",
        doc="Read the ClientHello of new connections and never answer it; after 60 s the connection is closed.",
        parameters=NoParameters,
        stage=Stage.DROP,
        witness=lambda _: Witness(poll_errors=("timeout",)),
        effect=lambda _: Effect(handshake=Handshake(silent=True)),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.old_version",
        doc="Speak at most TLS 1.1 with new connections; a client of today gets the alert protocol_version.",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=lambda _: Witness(poll_errors=("connection",)),
        effect=lambda _: Effect(handshake=Handshake(newest="TLSv1_1")),
        needs_tls=True,
    ),
)

FAULT_KINDS: Final[Mapping[str, FaultKind]] = {kind.name: kind for kind in _KINDS}
