"""What each event means at each stage, as data: the steps the peer takes on a cell's first connection.

Only words here; who carries them out is `peer`. Every script has one `act` step: from there on the event is under way,
and everything before it has settled on both sides. Connections after the first are served in good order.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tests.conformance.matrix import Cell


class Step(NamedTuple):
    """A verb of the peer and what it needs."""

    verb: str
    data: bytes = b""
    size: int = 0


Steps = tuple[Step, ...]

HALF: Final = 64
"""Bytes of a request's body that arrive before the event."""
LENGTH: Final = 20
BODY: Final = b"twenty bytes of body"
PART: Final = BODY[:8]
WITH_LENGTH: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n"
UNTIL_CLOSE: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
ANSWER: Final = WITH_LENGTH + BODY
TOO_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE: Final = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
GARBAGE: Final = b"\x00\x01\x02 these are no words of the protocol\r\n\r\n"
BANNER: Final = b"SSH-2.0-somebody\r\n"
NO_TLS: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
TEXT_FRAME: Final = b"\x81\x05hello"
CUT_FRAME: Final = b"\x81\x14hello"  # announces twenty bytes
RESERVED_FRAME: Final = b"\xff\x7f reserved bits and an unknown opcode"
CLOSE_FRAME: Final = b"\x88\x02\x03\xe8"
CUT_CLOSE_FRAME: Final = CLOSE_FRAME[:3]

ACT: Final = Step("act")
GO: Final = Step("let_client_go")
REST: Final = Step("let_rest_go")
SETTLE: Final = Step("settle")
STOP_READING: Final = Step("stop_reading")
NARROW: Final = Step("narrow_buffer")
READ_ON: Final = Step("read_on")
READ_HELLO: Final = Step("read_hello")
READ_HEAD: Final = Step("read_head")
READ_CLOSE: Final = Step("read_frame")
IDLE: Final = Step("wait_idle_timeout")
RESET: Final = Step("reset")
CLOSE: Final = Step("close")
CUT: Final = Step("close_without_notice")
HALF_CLOSE: Final = Step("close_sending")
HALF_CUT: Final = Step("close_sending_without_notice")
TO_END: Final = Step("read_to_end")
NOTHING: Final = Step("do_nothing_more")
SERVE: Final = Step("serve")
FLIGHT: Final = Step("prepare_flight")
SWITCH: Final = Step("prepare_switch")
DUE: Final = Step("send_due")
DUE_SLOWLY: Final = Step("send_due_slowly")
FINISH_TLS: Final = Step("finish_tls")
HEAD_SENT: Final = Step("await_head_sent")
OPENED: Final = Step("await_opened")


def send(data: bytes) -> Step:
    return Step("send", data)


def send_raw(data: bytes) -> Step:
    """Past TLS, where there is any."""
    return Step("send_raw", data)


def send_slowly(data: bytes) -> Step:
    return Step("send_slowly", data)


def read_body(size: int) -> Step:
    return Step("read_body", size=size)


def due_part(size: int) -> Step:
    """The first bytes of what is due, or with a negative size all but the last."""
    return Step("send_due_part", size=size)


WS_END: Final[Steps] = (READ_CLOSE, send(CLOSE_FRAME), CLOSE)

# Before the program reads. The client's ClientHello, if it speaks TLS, lies unread.
_CONNECT: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET, SETTLE, GO),
    "fin": (ACT, CUT, SETTLE, GO),
    "half_close": (ACT, HALF_CUT, SETTLE, GO, READ_ON, TO_END),
    "garbage": (ACT, send_raw(BANNER), SETTLE, GO, READ_ON, TO_END),
    "peer_timeout": (IDLE, ACT, CUT, SETTLE, GO),
}
_TLS_HELLO: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET),
    "fin": (ACT, CUT),
    "silence": (ACT, NOTHING),
    "slow": (FLIGHT, ACT, DUE_SLOWLY, FINISH_TLS, GO, SERVE),
    "half_close": (ACT, HALF_CUT, TO_END),
    "garbage": (ACT, send_raw(NO_TLS), TO_END),
    "cut_length": (FLIGHT, ACT, due_part(60), SETTLE, CUT),
    "peer_timeout": (IDLE, ACT, CUT),
}
_LAST_RECORD: Final[Steps] = (READ_HELLO, FLIGHT, due_part(-10), SETTLE, ACT)
_TLS_DONE: Final[Mapping[str, Steps]] = {
    "rst": (FINISH_TLS, SETTLE, ACT, RESET, SETTLE, GO),
    "fin": (FINISH_TLS, SETTLE, ACT, CLOSE, SETTLE, GO),
    "silence": (FINISH_TLS, SETTLE, ACT, STOP_READING, GO, NOTHING),
    "slow": (*_LAST_RECORD, SETTLE, DUE_SLOWLY, FINISH_TLS, GO, SERVE),
    "half_close": (FINISH_TLS, SETTLE, ACT, HALF_CLOSE, SETTLE, GO, TO_END),
    "garbage": (FINISH_TLS, SETTLE, ACT, send_raw(GARBAGE), SETTLE, GO, TO_END),
    "cut_length": (*_LAST_RECORD, CUT),
    "peer_timeout": (FINISH_TLS, IDLE, ACT, CLOSE, SETTLE, GO),
}
_REQUEST_HEAD: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET),
    "fin": (ACT, CLOSE),
    "silence": (ACT, NOTHING),
    "slow": (ACT, SETTLE, READ_ON, READ_HEAD, SETTLE, send(ANSWER), SERVE),
    "half_close": (ACT, HALF_CLOSE, SETTLE, READ_ON, TO_END),
    "garbage": (ACT, send(GARBAGE), SETTLE, READ_ON, TO_END),
    "cut_length": (ACT, send(ANSWER[:20]), SETTLE, CUT),
    "peer_timeout": (IDLE, ACT, send(TOO_LATE), SETTLE, CLOSE),
}
_REQUEST_BODY: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET, SETTLE, REST),
    "fin": (ACT, CLOSE, SETTLE, REST),
    "silence": (NARROW, ACT, STOP_READING, REST, NOTHING),
    "slow": (ACT, STOP_READING, REST, SETTLE, READ_ON, read_body(HALF), SETTLE, send(ANSWER), SERVE),
    "half_close": (ACT, HALF_CLOSE, SETTLE, REST, TO_END),
    "garbage": (ACT, send(GARBAGE), SETTLE, REST, TO_END),
    "cut_length": (ACT, send(TOO_LARGE + PART), SETTLE, CUT, SETTLE, REST),
    "peer_timeout": (IDLE, ACT, send(TOO_LATE), CLOSE, SETTLE, REST),
}
_RESPONSE_HEAD: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET),
    "fin": (ACT, CLOSE),
    "silence": (ACT, NOTHING),
    "slow": (ACT, send_slowly(ANSWER), SERVE),
    "half_close": (ACT, HALF_CLOSE, TO_END),
    "garbage": (ACT, send(GARBAGE), TO_END),
    "cut_length": (ACT, send(ANSWER[:20]), SETTLE, CUT),
    "peer_timeout": (IDLE, ACT, CLOSE),
}
_BODY_BEGUN: Final[Steps] = (send(WITH_LENGTH + PART), SETTLE, ACT)
_RESPONSE_BODY: Final[Mapping[str, Steps]] = {
    "rst": (*_BODY_BEGUN, RESET),
    "fin": (send(UNTIL_CLOSE + PART), SETTLE, ACT, CLOSE),
    "silence": (*_BODY_BEGUN, NOTHING),
    "slow": (*_BODY_BEGUN, send_slowly(BODY[8:]), SERVE),
    "half_close": (*_BODY_BEGUN, HALF_CLOSE, TO_END),
    "garbage": (send(CHUNKED + PART), SETTLE, ACT, send(GARBAGE), TO_END),
    "cut_length": (*_BODY_BEGUN, CUT),
    "peer_timeout": (send(WITH_LENGTH + PART), SETTLE, IDLE, ACT, CLOSE),
}
_BETWEEN: Final[Mapping[str, Steps]] = {
    "refuse": (ACT, Step("stop_listening"), CLOSE, SETTLE, GO),
    "rst": (ACT, RESET, SETTLE, GO),
    "fin": (ACT, CLOSE, SETTLE, GO),
    "silence": (ACT, STOP_READING, GO, NOTHING),
    "half_close": (ACT, HALF_CLOSE, SETTLE, GO, TO_END),
    "garbage": (ACT, send(GARBAGE), SETTLE, GO, TO_END),
    "peer_timeout": (IDLE, ACT, CLOSE, SETTLE, GO),
}
_UPGRADE: Final[Mapping[str, Steps]] = {
    **{event: steps for event, steps in _RESPONSE_HEAD.items() if event not in ("slow", "cut_length")},
    "slow": (SWITCH, ACT, DUE_SLOWLY, OPENED, send(TEXT_FRAME), *WS_END),
    "cut_length": (SWITCH, ACT, due_part(20), SETTLE, CUT),
}
_WS_OPEN: Final[Mapping[str, Steps]] = {
    "rst": (ACT, RESET),
    "fin": (ACT, CLOSE),
    "silence": (ACT, NOTHING),
    "slow": (ACT, send_slowly(TEXT_FRAME), *WS_END),
    "half_close": (ACT, HALF_CLOSE, TO_END),
    "garbage": (ACT, send(RESERVED_FRAME), TO_END),
    "cut_length": (ACT, send(CUT_FRAME), SETTLE, CUT),
    "peer_timeout": (IDLE, ACT, CLOSE),
}
_CLOSE: Final[Mapping[str, Steps]] = {
    **_WS_OPEN,
    "slow": (ACT, send_slowly(CLOSE_FRAME), CLOSE),
    "cut_length": (ACT, send(CUT_CLOSE_FRAME), SETTLE, CUT),
}

_LEAD: Final[Mapping[str, Steps]] = {
    "connect": (STOP_READING, SETTLE),
    "tls_hello": (READ_HELLO, SETTLE),
    "tls_done": (),
    "request_head": (STOP_READING, GO, HEAD_SENT),
    "request_body": (GO, READ_HEAD, read_body(HALF), SETTLE),
    "response_head": (GO, READ_HEAD, SETTLE),
    "response_body": (GO, READ_HEAD),
    "between": (SETTLE,),
    "upgrade": (GO, READ_HEAD, SETTLE),
    "ws_open": (GO, READ_HEAD, SWITCH, DUE, OPENED),
    "close": (GO, READ_HEAD, SWITCH, DUE, OPENED, READ_CLOSE, SETTLE),
}
_STAGES: Final[Mapping[str, Mapping[str, Steps]]] = {
    "connect": _CONNECT,
    "tls_hello": _TLS_HELLO,
    "tls_done": _TLS_DONE,
    "request_head": _REQUEST_HEAD,
    "request_body": _REQUEST_BODY,
    "response_head": _RESPONSE_HEAD,
    "response_body": _RESPONSE_BODY,
    "between": _BETWEEN,
    "upgrade": _UPGRADE,
    "ws_open": _WS_OPEN,
    "close": _CLOSE,
}
_HANDSHAKE_STAGES: Final = ("connect", "tls_hello", "tls_done")


def script(cell: Cell) -> Steps:
    """What the peer does on the cell's first connection; `serve` alone where the event strikes before any."""
    steps = _STAGES.get(cell.stage, {}).get(cell.event)
    first = (Step("finish_tls"),) if cell.tls and cell.stage not in _HANDSHAKE_STAGES else ()
    if steps is None:
        return (*((FINISH_TLS,) if cell.tls else ()), GO, SERVE)
    lead = () if steps[0] in (READ_HELLO, FINISH_TLS) else _LEAD[cell.stage]
    warm = (Step("serve_one"),) if cell.kept else ()
    return (*first, *warm, *lead, *steps)
