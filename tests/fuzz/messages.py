"""Messages to a WebSocket face, as hypothesis draws them, each with what a real appliance does next.

Written from truenas-api 5.1, 5.2 and 6: which message is answered, which one ends the connection and with which code.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from hypothesis import strategies as st

from tests.contract.shape import applies
from tests.fuzz.socket import BINARY, CONTINUATION, PING, TEXT, Frame

Face = Literal["rpc", "ddp"]
LONGEST: Final = 65536


@dataclass(frozen=True)
class Message:
    """Frames, and what they lead to.

    ``answers`` is the id that must be answered once; ``ends`` are the codes of which one
    closes the connection, empty where it survives. ``counts_null``: answers without an id.
    """

    frames: tuple[Frame, ...]
    answers: Any = None
    ends: frozenset[int] = frozenset()
    counts_null: int = 0


# These stop the appliance or the session on purpose, which is asked for then.
_LEFT_ALONE: Final = ("auth.", "system.reboot", "system.shutdown", "update.")


def methods(release: str) -> list[str]:
    """Names to call: those of the contract, and some of nobody."""
    document = json.loads((Path(__file__).parents[1] / "contract" / "methods.json").read_text("utf-8"))
    listed = (applies(name, release) for name, _ in document["methods"])
    known = [name for name in listed if name is not None and not name.startswith(_LEFT_ALONE)]
    return [*known, *document["nowhere"]["methods"], "", ".", "core", "pool.query.query", "__class__.x"]


_LEAVES: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["tank", "sda", "pool.query", "=", "~", "[", "id", "name", "$date", "a.b.*", "nulls_first:x"]),
)
VALUES: Final = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
_OPTIONS: Final = st.fixed_dictionaries(
    {},
    optional={
        "limit": _LEAVES,
        "offset": _LEAVES,
        "order_by": VALUES,
        "select": VALUES,
        "count": _LEAVES,
        "get": _LEAVES,
        "extra": VALUES,
    },
)
_FILTERS: Final = st.lists(
    st.tuples(
        st.sampled_from(["id", "name", "size", "x.y", "children.*.id"]),
        st.sampled_from(["=", "!=", ">", "in", "~", "^", "C=", "rin"]),
        VALUES,
    )
    | VALUES,
    max_size=3,
)
PARAMS: Final = st.one_of(st.lists(VALUES, max_size=4), st.tuples(_FILTERS, _OPTIONS).map(list))
_ODD_TEXT: Final = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["{", "[", '{"a":', "NaN", '"', "{]", "[1,", "\ufeff{}", "nul", "0x1", "'a'", "{'id': 1}"]),
)


def _text(value: str) -> tuple[Frame, ...]:
    return (Frame(value.encode("utf-8", "surrogatepass")),)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@st.composite
def _pieces(draw: st.DrawFn, payload: bytes) -> tuple[Frame, ...]:
    """One message in several frames, perhaps with a ping in between."""
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), min_size=1, max_size=3)))
    parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    frames: list[Frame] = []
    for number, part in enumerate(parts):
        opcode = TEXT if number == 0 else CONTINUATION
        frames.append(Frame(part, opcode, last=number == len(parts) - 1))
        if number < len(parts) - 1 and draw(st.booleans()):
            frames.append(Frame(b"between", PING))
    return tuple(frames)


@st.composite
def _calls(draw: st.DrawFn, face: Face, release: str, number: int) -> Message:
    """A well-formed call with whatever parameters, in one frame or in pieces."""
    name = draw(st.sampled_from(methods(release)))
    params = draw(PARAMS)
    if face == "rpc":
        key: Any = draw(st.sampled_from([number, f"call {number}"]))
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": key, "method": name, "params": params}
        if draw(st.integers(0, 9)) == 0:
            del told["params"]
        if draw(st.integers(0, 9)) == 0:
            del told["id"]  # a notification
            return Message(_text(json.dumps(told)))
    else:
        key = f"call {number}"
        told = {"id": key, "msg": "method", "method": name, "params": params}
    payload = json.dumps(told).encode()
    whole = draw(st.booleans())
    return Message((Frame(payload),) if whole else draw(_pieces(payload)), answers=key)


@st.composite
def _malformed_rpc(draw: st.DrawFn, number: int) -> Message:
    """No JSON, or no request: answered, and the connection lives."""
    kind = draw(st.sampled_from(["text", "value", "object"]))
    if kind == "text":
        return Message(_text(draw(_ODD_TEXT)), counts_null=1)
    if kind == "value":
        value = draw(VALUES.filter(lambda value: not isinstance(value, dict)))
        return Message(_text(json.dumps(value)), counts_null=1)
    told: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": "core.ping", "params": []}
    for key, values in (
        ("jsonrpc", st.sampled_from(["1.0", 2.0, None])),
        ("method", st.sampled_from([None, 1, [], {}])),
        ("params", st.sampled_from([{}, "x", 1, None, True])),
    ):
        change = draw(st.integers(0, 2))
        if change == 0:
            told[key] = draw(values)
        elif change == 1 and key != "params":
            del told[key]
    return Message(_text(json.dumps(told)), answers=number)


@st.composite
def _malformed_ddp(draw: st.DrawFn, number: int) -> Message:
    """Here it mostly breaks the connection (truenas-api 6)."""
    kind = draw(st.sampled_from(["text", "value", "object", "unknown", "ping"]))
    if kind == "text":
        text = draw(_ODD_TEXT.filter(lambda text: not _is_json(text)))
        return Message(_text(text), ends=frozenset({1007}))
    if kind == "value":
        value = draw(VALUES.filter(lambda value: not isinstance(value, dict)))
        return Message(_text(json.dumps(value)), ends=frozenset({1011}))
    if kind == "object":
        told = draw(st.sampled_from([{}, {"id": "x"}, {"msg": "method", "method": "core.ping", "params": []}]))
        return Message(_text(json.dumps(told)), ends=frozenset({1011}))
    if kind == "ping":
        return Message(_text(json.dumps({"msg": "ping", "id": f"ping {number}"})))
    told = draw(st.dictionaries(st.text(max_size=8), VALUES, max_size=3))
    told |= {"id": f"call {number}", "msg": draw(st.text(max_size=8).map(lambda text: f"x{text}"))}
    return Message(_text(json.dumps(told)))


def _broken_frames(face: Face, release: str) -> st.SearchStrategy[Message]:
    """Frames that are none of this face, or none at all."""
    # 24.04 does not know the limit, and what is too long for the others is no JSON for it.
    over_limit = frozenset({1007 if release == "24.04" else 1009})
    too_long = st.integers(LONGEST + 1, LONGEST + 4000).map(
        lambda length: Message((Frame(b" " * length),), ends=over_limit)
    )
    refusal = frozenset({1003}) if face == "rpc" else frozenset({1003, 1007, 1011})
    binary = st.binary(max_size=40).map(lambda payload: Message((Frame(payload, BINARY),), ends=refusal))
    half = st.sampled_from([b"\xff", b"\xc3", b'"\xed\xa0\x80"']).map(
        lambda payload: Message((Frame(payload),), ends=frozenset({1007}))
    )
    reserved = st.integers(3, 7).map(lambda opcode: Message((Frame(b"", opcode),), ends=frozenset({1002})))
    bits = st.integers(1, 3).map(lambda bits: Message((Frame(b"{}", TEXT, reserved=bits),), ends=frozenset({1002})))
    orphan = st.just(Message((Frame(b"tail", CONTINUATION),), ends=frozenset({1002})))
    return st.one_of(too_long, binary, half, reserved, bits, orphan)


def _pings() -> st.SearchStrategy[Message]:
    return st.binary(max_size=20).map(lambda payload: Message((Frame(payload, PING),)))


@st.composite
def sessions(draw: st.DrawFn, face: Face, release: str, length: int) -> list[Message]:
    """``length`` messages for one connection; at most the last one is sure to end it."""
    malformed = _malformed_rpc if face == "rpc" else _malformed_ddp
    told: list[Message] = []
    for number in range(length):
        message = draw(
            st.one_of(_calls(face, release, number), _calls(face, release, number), malformed(number), _pings())
        )
        told.append(message)
        if message.ends:
            return told
    if draw(st.booleans()):
        told[-1] = draw(_broken_frames(face, release))
    return told
