"""A text message on its way out over a WebSocket, as the faults it met want it. Pure: says what to do, does nothing.

Frames are written here, so that one can be cut in two: unmasked, unfragmented, and not compressed, which a client that
negotiated compression has to take as well (RFC 6455, RFC 7692 section 6).
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mock_truenas.faults.active import NOTHING_MET, ActiveFault, Met
from mock_truenas.faults.effect import Close, Stage

_TEXT: Final = 0x81
_SHORT: Final = 126
_LONG: Final = 127
_NO_CLOSE_FRAME: Final = 1006


@dataclass(frozen=True)
class Send:
    """Bytes for the wire as they are, frame header included."""

    data: bytes


@dataclass(frozen=True)
class Wait:
    """Nothing is sent for this message before so many nanoseconds have passed."""

    ns: int


@dataclass(frozen=True)
class Abort:
    """What was sent goes out, then the connection ends with FIN and without a close frame: 1006 to its peer."""


Action: TypeAlias = Send | Wait | Abort | Close


@dataclass(frozen=True)
class Plan:
    """What to do in order, which faults shaped it, and how the exchange ended for the journal."""

    actions: tuple[Action, ...]
    faults: tuple[str, ...] = ()
    ending: Literal["complete", "cut"] = "complete"
    close_code: int | None = None


def plan(text: str, met: Met = NOTHING_MET, face: str = "rpc") -> Plan:
    """How ``text`` is delivered. ``face`` is ``rpc`` or ``ddp``, the form of messages nobody asked for."""
    closing = met.close()
    if closing is not None:
        fault_id, close = closing
        if close.code == _NO_CLOSE_FRAME:
            return Plan((Abort(),), (fault_id,), "cut", _NO_CLOSE_FRAME)
        return Plan((close,), (fault_id,), "complete", close.code)
    shaping = [fault for fault in met.at(Stage.BODY) if fault.effect.delivery is not None]
    before: list[str] = []
    after: list[str] = []
    copies: list[int] = []
    keep: int | None = None
    for fault in shaping:
        delivery = fault.effect.delivery
        assert delivery is not None
        if delivery.edit is not None:
            text = delivery.edit(text)
        if delivery.before is not None:
            before.extend(delivery.before(text, face))
        if delivery.after is not None:
            after.extend(delivery.after(text, face))
        copies.extend([delivery.gap_ns] * (delivery.copies - 1))
        if delivery.keep_bytes is not None:
            keep = delivery.keep_bytes if keep is None else min(keep, delivery.keep_bytes)
    by = _ids(shaping)
    head = tuple(Send(text_frame(one)) for one in before)
    frame = text_frame(text)
    if keep is not None:
        return Plan((*head, Send(frame[: min(keep, len(frame) - 1)]), Abort()), by, "cut", _NO_CLOSE_FRAME)
    again = [action for gap in copies for action in ((Wait(gap), Send(frame)) if gap else (Send(frame),))]
    return Plan((*head, Send(frame), *again, *(Send(text_frame(one)) for one in after)), by)


def text_frame(text: str) -> bytes:
    """A whole text frame as a server sends it."""
    data = text.encode("utf-8", "surrogatepass")
    return text_head(len(data)) + data


def text_head(size: int) -> bytes:
    """The header of a text frame whose text has that many bytes."""
    if size < _SHORT:
        return bytes((_TEXT, size))
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, _SHORT, size)
    return struct.pack("!BBQ", _TEXT, _LONG, size)


def _ids(faults: list[ActiveFault]) -> tuple[str, ...]:
    return tuple(fault.fault_id for fault in faults)
