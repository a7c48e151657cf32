"""What both faces do with the outcome of a call: render it, deliver it, tell the journal. Knows neither wire."""

import json
from dataclasses import dataclass
from typing import Any

from mock_truenas.api.pieces import default, gathered, is_big
from mock_truenas.api.sockets.connection import Connection
from mock_truenas.api.sockets.line import Message, Pieces
from mock_truenas.api.sockets.performance import NOBODY, Outcome
from mock_truenas.faults.active import NOTHING_MET, Met


async def rendered(value: Any, around: tuple[str, str]) -> Message:
    """A result between two texts. Raises TypeError, ValueError or RecursionError for what is no JSON."""
    before, after = around
    if is_big(value):
        return Pieces((before.encode(), *await gathered(value, None), after.encode()))
    return f"{before}{json.dumps(value, default=default)}{after}"


@dataclass(frozen=True)
class Answered:
    """A call and the text of its answer, None when it is not answered.

    ``request_id`` is the JSON text of its id, None when it had none; ``error`` is as the face counts errors.
    """

    name: str
    request_id: str | None
    began_s: float
    text: Message | None
    error: int | None = None


async def deliver(connection: Connection, answered: Answered, outcome: Outcome | None = None) -> None:
    """Send an answer and write the entry of the call."""
    faults: list[str] = list(outcome.faults) if outcome is not None else []
    sent, ended = 0, "silent" if outcome is not None and outcome.silenced else "complete"
    if answered.text is not None:
        met: Met = outcome.met if outcome is not None else NOTHING_MET
        delivered = await connection.line.send(answered.text, met, connection.endpoint.face)
        sent, ended = delivered.bytes, delivered.ended
        faults += (fault_id for fault_id in delivered.faults if fault_id not in faults)
    connection.journal(
        answered.began_s,
        kind="call",
        call=answered.name,
        request_id=answered.request_id,
        error=answered.error,
        bytes=sent,
        ended=ended,
        faults=tuple(faults),
        **NOBODY if outcome is not None and outcome.refused_login else {},
    )
