"""Faults of the nginx in front, and of what else stands between it and a client, as data (truenas-api 1)."""

from typing import Annotated, Final, Literal

from pydantic import Field

from mock_truenas.api.answer import Answer, nginx_page, text
from mock_truenas.durations import Duration
from mock_truenas.faults.effect import Asked, Close
from mock_truenas.faults.kind import Effect, FaultKind, Parameters, RequestParameters, Stage, Witness
from mock_truenas.faults.target import Occasion

_EVERYWHERE: Final[frozenset[Occasion]] = frozenset({"page", "request", "handshake"})
_HANDSHAKE: Final[frozenset[Occasion]] = frozenset({"handshake"})
NOT_ALLOWED: Final = "You are not allowed to access this resource"
NO_UPGRADE: Final = 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'


class BadGateway(RequestParameters):
    pass


class Timeout(RequestParameters):
    after: Duration = Field("60s", validate_default=True, description="How long the front waits for the method")


class RedirectToUi(RequestParameters):
    pass


class RedirectToHttps(RequestParameters):
    port: Annotated[int, Field(ge=1, le=65535)] = Field(443, description="The port the client is sent to")


class NotAllowed(RequestParameters):
    pass


class ClosedAtOnce(RequestParameters):
    pass


class IdleCut(Parameters):
    after: Duration = Field("60s", validate_default=True, description="How long nothing came or went")


class UpgradeStripped(RequestParameters):
    pass


class Proxy(RequestParameters):
    status: Literal[404, 502] = Field(502, description="What the proxy answers")


class HandshakeSilence(RequestParameters):
    pass


def _to_ui(asked: Asked) -> Answer:
    return _redirect(302, f"{asked.scheme}://{asked.host}/ui/")


def _redirect(status: int, location: str) -> Answer:
    page = nginx_page(status)
    return Answer(status, page.body, page.content_type, (("Location", location),))


def _to_https(port: int) -> Effect:
    def replies(asked: Asked) -> Answer:
        # nginx's $host is the name without a port, in small letters.
        host = asked.host.lower()
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        return _redirect(307, f"https://{name}:{port}{asked.target}")

    return Effect(replies=replies)


def _answered(status: int, *errors: str) -> Witness:
    return Witness(journal=({"fault": True, "status": [status]},), poll_errors=errors)


KINDS: Final = (
    FaultKind(
        name="front.bad_gateway",
        doc="middlewared restarts: 502 for every request and handshake; live WebSockets end without a close frame.",
        parameters=BadGateway,
        stage=Stage.STATUS,
        witness=lambda _: _answered(502, "api"),
        effect=lambda _: Effect(answer=nginx_page(502), cuts="sockets"),
    ),
    FaultKind(
        name="front.timeout",
        doc="The method takes longer than the front waits: 504 after that time, and the method runs all the same.",
        parameters=Timeout,
        stage=Stage.DELAY,
        witness=lambda parameters: Witness(
            journal=({"fault": True, "status": [504]}, {"fault": True, "ended": ["client_gone"]}),
            poll_errors=("timeout",),
            poll_slower_than_ns=parameters.after,
        ),
        effect=lambda parameters: Effect(delay_ns=parameters.after, answer=nginx_page(504), performs=True),
        acts_on=frozenset({"request"}),
    ),
    FaultKind(
        name="front.redirect_ui",
        doc="WebSocket handshakes are sent to the web interface with 302, as on releases without that endpoint.",
        parameters=RedirectToUi,
        stage=Stage.STATUS,
        witness=lambda _: _answered(302, "api", "connection"),
        effect=lambda _: Effect(replies=_to_ui),
        acts_on=_HANDSHAKE,
    ),
    FaultKind(
        name="front.redirect_https",
        doc="Everything is sent to https with 307; a port on which nobody listens makes a dead end of it.",
        parameters=RedirectToHttps,
        stage=Stage.STATUS,
        witness=lambda _: _answered(307, "api", "connection"),
        effect=lambda parameters: _to_https(parameters.port),
        acts_on=_EVERYWHERE,
    ),
    FaultKind(
        name="front.not_allowed",
        doc="The client's address is not on the allow-list: 403 for REST, a WebSocket opens and is closed with 1008.",
        parameters=NotAllowed,
        stage=Stage.STATUS,
        witness=lambda _: Witness(
            journal=({"fault": True, "status": [403]}, {"fault": True, "status": [101]}), poll_errors=("auth",)
        ),
        effect=lambda _: Effect(answer=nginx_page(403), close=Close(1008, NOT_ALLOWED)),
    ),
    FaultKind(
        name="front.closed_at_once",
        doc="A WebSocket opens and is closed with 1000 before any message.",
        parameters=ClosedAtOnce,
        stage=Stage.STATUS,
        witness=lambda _: _answered(101, "connection"),
        effect=lambda _: Effect(close=Close(1000)),
        acts_on=_HANDSHAKE,
    ),
    FaultKind(
        name="front.idle_cut",
        doc="WebSockets on which nothing came or went for a time end without a close frame.",
        parameters=IdleCut,
        stage=Stage.PACE,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("connection",)),
        effect=lambda parameters: Effect(idle_ns=parameters.after),
        shows="",
    ),
    FaultKind(
        name="front.upgrade_stripped",
        doc="A reverse proxy takes the Upgrade header away: handshakes get 400 with aiohttp's words.",
        parameters=UpgradeStripped,
        stage=Stage.STATUS,
        witness=lambda _: _answered(400, "api", "connection"),
        effect=lambda _: Effect(answer=text(400, NO_UPGRADE)),
        acts_on=_HANDSHAKE,
    ),
    FaultKind(
        name="front.proxy",
        doc="A reverse proxy answers for itself, with a page of its own.",
        parameters=Proxy,
        stage=Stage.STATUS,
        witness=lambda parameters: _answered(parameters.status, "api", "not_found"),
        effect=lambda parameters: Effect(answer=nginx_page(parameters.status)),
        acts_on=_EVERYWHERE,
    ),
    FaultKind(
        name="front.handshake_silence",
        doc="WebSocket handshakes are accepted by TCP and never answered.",
        parameters=HandshakeSilence,
        stage=Stage.DROP,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["silent"]},), poll_errors=("timeout",)),
        effect=lambda _: Effect(silent=True),
        acts_on=_HANDSHAKE,
    ),
)
