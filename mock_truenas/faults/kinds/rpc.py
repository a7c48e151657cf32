"""Faults of calls, and of the messages of a WebSocket, as data (truenas-api 5, 6)."""

import errno
import json
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from mock_truenas.api.errors import CallError, MethodBroke, NoSuchMethod, NotAuthenticated, ValidationErrors
from mock_truenas.durations import Duration
from mock_truenas.faults.effect import Close, Delivery
from mock_truenas.faults.kind import Effect, FaultKind, RequestParameters, Stage, Witness
from mock_truenas.faults.kinds.http import delay_witness
from mock_truenas.faults.target import Face, Occasion

_CALL: Final[frozenset[Occasion]] = frozenset({"call"})
_EVENT: Final[frozenset[Occasion]] = frozenset({"event"})
_MESSAGE: Final[frozenset[Occasion]] = frozenset({"call", "event"})
_SOCKETS: Final[frozenset[Face]] = frozenset({"rpc", "ddp"})
_LARGEST: Final = 1 << 28


class Silent(RequestParameters):
    pass


class Late(RequestParameters):
    delay: Duration = Field(description="How long the call takes before it runs, in one of the slots of its connection")


class Error(RequestParameters):
    errno: Annotated[int, Field(ge=1, le=300)] = Field(errno.EFAULT, description="Number of the CallError")
    reason: str = Field("failed", description="Its text, without the error's name in front")


class Broken(RequestParameters):
    exception: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+$")] = Field(
        "KeyError", description="Class of the exception nobody foresaw"
    )
    text: str = Field("'failed'", description="Its text")


class NoMethod(RequestParameters):
    pass


class InvalidParams(RequestParameters):
    attribute: str = Field("options", description="Path of the argument that is refused")
    message: str = Field("Extra inputs are not permitted", description="What is wrong with it")
    errno: Annotated[int, Field(ge=1, le=300)] = Field(errno.EINVAL, description="Number of the problem")


class NotLoggedIn(RequestParameters):
    pass


class WrongId(RequestParameters):
    form: Literal["other", "text", "null"] = Field("other", description="Another number, the number as text, or null")


class Duplicate(RequestParameters):
    copies: Annotated[int, Field(ge=2, le=10_000)] = Field(2, description="How many times it is sent altogether")
    gap: Duration = Field("0s", validate_default=True, description="Time between two of them")


class Stray(RequestParameters):
    collection: str = Field("alert.list", description="Collection of the event nobody subscribed to")
    count: Annotated[int, Field(ge=1, le=10_000)] = Field(1, description="How many of them")
    place: Literal["before", "after"] = Field("before", description="Before or after the reply")


class EventFirst(RequestParameters):
    call: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        "core.subscribe", description="Glob on the API method whose reply the event overtakes"
    )
    collection: str = Field("alert.list", description="Collection of the event")


class CutFrame(RequestParameters):
    keep_bytes: Annotated[int, Field(ge=0)] = Field(10, description="Bytes of the frame that are sent, header included")


class Oversize(RequestParameters):
    bytes: Annotated[int, Field(ge=1, le=_LARGEST)] = Field(1 << 20, description="Least size of the message in bytes")


class CloseCode(RequestParameters):
    code: Annotated[int, Field(ge=1000, le=4999)] = Field(
        1011, description="The close code; with 1006 there is no close frame"
    )
    reason: Annotated[str, StringConstraints(max_length=40)] = Field("", description="Text of the close frame")


class Malformed(RequestParameters):
    pass


class LostEvent(RequestParameters):
    pass


def _other_id(form: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        try:
            message = json.loads(text)
        except ValueError:
            return text  # broken by another fault
        if not isinstance(message, dict) or "id" not in message:
            return text
        number = message["id"]
        if form == "null":
            message["id"] = None
        elif form == "text":
            message["id"] = number + "0" if isinstance(number, str) else str(number)
        else:
            message["id"] = number + 1000 if isinstance(number, int) else f"{number}0"
        return json.dumps(message)

    return edit


def _event(collection: str, face: str) -> str:
    fields = {"msg": "changed", "collection": collection, "id": "0", "fields": {"id": "0"}}
    if face == "ddp":
        return json.dumps(fields)
    return json.dumps({"jsonrpc": "2.0", "method": "collection_update", "params": fields})


def _strays(collection: str, count: int) -> Callable[[str, str], tuple[str, ...]]:
    return lambda _, face: (_event(collection, face),) * count


def _around(parameters: Stray) -> Delivery:
    strays = _strays(parameters.collection, parameters.count)
    return Delivery(before=strays) if parameters.place == "before" else Delivery(after=strays)


def _padded(size: int) -> Callable[[str], str]:
    # White space after a JSON value is still that value, so only the size is wrong with it.
    return lambda text: text + " " * (size - len(text.encode()))


def _seen(**pattern: Any) -> Witness:
    return Witness(journal=({"fault": True, **pattern},))


KINDS: Final = (
    FaultKind(
        name="rpc.silence",
        doc="A call is never answered; others of its connection are.",
        parameters=Silent,
        stage=Stage.DROP,
        witness=lambda _: Witness(journal=({"fault": True, "ended": ["silent"]},), poll_errors=("timeout",)),
        effect=lambda _: Effect(silent=True),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.late",
        doc="A call takes its time, and a slot of its connection, before it is answered.",
        parameters=Late,
        stage=Stage.DELAY,
        witness=lambda parameters: delay_witness(parameters.delay),
        effect=lambda parameters: Effect(delay_ns=parameters.delay, in_method=True),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.error",
        doc="A method fails with an error of its own: -32001 on JSON-RPC, 422 on REST.",
        parameters=Error,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("api",)),
        effect=lambda parameters: Effect(refuses=lambda: CallError(parameters.reason, parameters.errno)),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.broken",
        doc="A method breaks with an exception nobody foresaw: -32001 on JSON-RPC, 500 with a traceback on REST.",
        parameters=Broken,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("api",)),
        effect=lambda parameters: Effect(refuses=lambda: broke(parameters.exception, parameters.text)),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.no_method",
        doc="Methods do not exist, as after an upgrade: -32601 on JSON-RPC, the text 404 on REST.",
        parameters=NoMethod,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("api", "not_found")),
        effect=lambda parameters: Effect(refuses=lambda: NoSuchMethod(parameters.call, service_known=True)),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.invalid_params",
        doc="An argument is refused, as after an upgrade: -32602 on JSON-RPC, 422 on REST.",
        parameters=InvalidParams,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("api",)),
        effect=lambda parameters: Effect(
            refuses=lambda: ValidationErrors.one(parameters.attribute, parameters.message, parameters.errno)
        ),
        acts_on=_CALL,
    ),
    FaultKind(
        name="rpc.not_authenticated",
        doc="A call is answered as if nobody were logged in (207); the session stays.",
        parameters=NotLoggedIn,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth",)),
        effect=lambda _: Effect(refuses=NotAuthenticated),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.wrong_id",
        doc="A reply has an id nobody asked with.",
        parameters=WrongId,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=Delivery(edit=_other_id(parameters.form))),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.duplicate",
        doc="A reply comes more than once.",
        parameters=Duplicate,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=Delivery(copies=parameters.copies, gap_ns=parameters.gap)),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.burst",
        doc="An event comes many times over; `call` is a glob on its collection.",
        parameters=Duplicate,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=Delivery(copies=parameters.copies, gap_ns=parameters.gap)),
        acts_on=_EVENT,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.lost_event",
        doc="Events are not sent; `call` is a glob on their collection.",
        parameters=LostEvent,
        stage=Stage.DROP,
        witness=lambda _: _seen(),
        effect=lambda _: Effect(silent=True),
        acts_on=_EVENT,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.stray",
        doc="Events nobody subscribed to come around a reply.",
        parameters=Stray,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=_around(parameters)),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.event_first",
        doc="An event comes before the reply to the subscription it is of.",
        parameters=EventFirst,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=Delivery(before=_strays(parameters.collection, 1))),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.cut_frame",
        doc="A message breaks off in the middle of its frame, and the connection ends without a close frame.",
        parameters=CutFrame,
        stage=Stage.BODY,
        witness=lambda _: _seen(ended=["cut"]),
        effect=lambda parameters: Effect(delivery=Delivery(keep_bytes=parameters.keep_bytes)),
        acts_on=_MESSAGE,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.malformed",
        doc="A message is a whole frame of half a JSON text.",
        parameters=Malformed,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda _: Effect(delivery=Delivery(edit=lambda text: text[: len(text) // 2])),
        acts_on=_MESSAGE,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.oversize",
        doc="A reply is larger than a client may want to take; white space at its end makes it so.",
        parameters=Oversize,
        stage=Stage.BODY,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(delivery=Delivery(edit=_padded(parameters.bytes))),
        acts_on=_MESSAGE,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="rpc.close",
        doc="The connection is closed with a code instead of the reply.",
        parameters=CloseCode,
        stage=Stage.STATUS,
        witness=lambda _: _seen(),
        effect=lambda parameters: Effect(close=Close(parameters.code, parameters.reason)),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
)


def broke(exception: str, text: str) -> MethodBroke:
    """The error of a method that broke with an exception of that class."""
    trace = f'Traceback (most recent call last):\n  File "middlewared/main.py"\n{exception}: {text}\n'
    return MethodBroke(exception, text, trace)
