"""Sends generated messages to a WebSocket face and holds what comes back to what a real appliance does."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from mock_truenas.testing import ServedNas
from tests.fuzz.messages import Face, Message, sessions
from tests.fuzz.socket import CLOSE, PING, PONG, TEXT, Frame, RawSocket, code_of, connected

SESSION_LENGTH: Final = 10
_PATHS: Final = {"rpc": "/api/current", "ddp": "/websocket"}
_PATIENCE_S: Final = 20
_CODES: Final = {-32700, -32600, -32601, -32602, -32603, -32000, -32001}
_LAST: Final = "the last one"


@dataclass
class Tried:
    """How many messages went out, how connections ended, and what should not have been."""

    messages: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def tried(nas: ServedNas, face: Face, messages: int, number: int = 1) -> Tried:
    """At least so many generated messages, a connection for each ten."""
    outcome = Tried()
    loop = asyncio.new_event_loop()
    try:
        while outcome.messages < messages:
            left = -(-(messages - outcome.messages) // SESSION_LENGTH)
            _generate(nas, face, left, f"{number}:{outcome.messages}", loop, outcome)
    finally:
        loop.close()
    return outcome


def _generate(
    nas: ServedNas, face: Face, count: int, purpose: str, loop: asyncio.AbstractEventLoop, outcome: Tried
) -> None:
    @seed(purpose)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(session=sessions(face, nas.release, SESSION_LENGTH))
    def generated(session: list[Message]) -> None:
        outcome.messages += len(session)
        loop.run_until_complete(_hold(nas, face, session, outcome))

    generated()


async def _hold(nas: ServedNas, face: Face, session: list[Message], outcome: Tried) -> None:
    async with connected(nas.host, nas.port, _PATHS[face]) as socket:
        await _log_in(socket, face, nas.api_key)
        for message in session:
            await socket.send(*message.frames)
        if not session[-1].ends:
            await socket.send(Frame(json.dumps(_call(face, "core.ping", _LAST)).encode()))
        came = await asyncio.wait_for(_until_the_end(socket), _PATIENCE_S)
    end = came.pop()
    code = code_of(end) if end.opcode == CLOSE else 0
    outcome.ends[code] += 1
    for problem in _problems(face, session, came, code):
        sent = [message.frames for message in session]
        outcome.faults.append(f"{face} {nas.release}: {problem}; sent {sent!r:.1500}")


def _call(face: Face, method: str, key: object, *params: Any) -> dict[str, Any]:
    if face == "rpc":
        return {"jsonrpc": "2.0", "id": key, "method": method, "params": list(params)}
    return {"id": key, "msg": "method", "method": method, "params": list(params)}


async def _log_in(socket: RawSocket, face: Face, key: str) -> None:
    if face == "ddp":
        await socket.send(Frame(b'{"msg": "connect", "version": "1", "support": ["1"]}'))
        assert b"connected" in (await socket.receive()).payload
    await socket.send(Frame(json.dumps(_call(face, "auth.login_with_api_key", "login", key)).encode()))
    answer = json.loads((await socket.receive()).payload)
    assert answer["result"] is True, answer


async def _until_the_end(socket: RawSocket) -> list[Frame]:
    """All frames up to the one that ends it: the answer to the last call, or a close."""
    came: list[Frame] = []
    while True:
        frame = await socket.receive()
        came.append(frame)
        if frame.opcode == CLOSE or (frame.opcode == TEXT and _id(frame) == _LAST):
            return came


def _id(frame: Frame) -> Any:
    told = json.loads(frame.payload)
    return told.get("id")


def _problems(face: Face, session: list[Message], came: list[Frame], code: int) -> list[str]:
    last = session[-1]
    found: list[str] = []
    allowed = last.ends or frozenset({0})
    if code not in allowed:
        found.append(f"ended with {code or 'the last answer'} instead of {sorted(allowed)}")
    texts = [json.loads(frame.payload) for frame in came if frame.opcode == TEXT]
    answers = [told for told in texts if "result" in told or "error" in told]
    pongs = sum(frame.opcode == PONG for frame in came)
    if code == 0:
        # What came before an end may be cut short by it.
        counted = Counter(json.dumps(told.get("id")) for told in answers)
        expected = Counter(json.dumps(message.answers) for message in session if message.answers is not None)
        if nulls := sum(message.counts_null for message in session):
            expected["null"] = nulls
        if counted != expected:
            found.append(f"answers {dict(counted)} instead of {dict(expected)}")
        pinged = sum(frame.opcode == PING for message in session for frame in message.frames)
        if pongs != pinged:
            found.append(f"{pongs} pongs for {pinged} pings")
    if face == "rpc":
        found += [f"no such error code: {told}" for told in answers if _odd(told)]
    return found


def _odd(told: dict[str, Any]) -> bool:
    error = told.get("error")
    return error is not None and error.get("code") not in _CODES
