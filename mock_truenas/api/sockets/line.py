"""One open WebSocket: messages out as the faults want them, and the ways it ends. Knows no message's meaning."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import web

from mock_truenas.faults import frames
from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.effect import Close, Stage
from mock_truenas.journal import Ending

_LONGEST_REASON: Final = 123
ABNORMAL: Final = 1006


@dataclass(frozen=True)
class Delivered:
    """What became of a message: bytes sent, how that ended, and the faults that shaped it."""

    bytes: int = 0
    ended: Ending = "complete"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parting:
    """How a connection ended, for the journal; ``code`` is what its peer takes for the close code."""

    code: int
    ended: Ending = "complete"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pieces:
    """A text message too large to be made or sent at once, in UTF-8."""

    parts: tuple[bytes, ...]

    def text(self) -> str:
        """The whole of it."""
        return b"".join(self.parts).decode()


Message: TypeAlias = str | Pieces
Patience = Callable[[], tuple[float | None, tuple[str, ...]]]
"""How many seconds nothing may come or go before the front cuts, None for ever, and the faults that say so."""


class Line:
    """The connection under the faces. All ends go through it, the first one counts."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse, patience: Patience) -> None:
        self.parting: Parting | None = None
        self._request = request
        self._socket = socket
        self._patience = patience
        self.loop = asyncio.get_running_loop()
        self._last_s = self.loop.time()
        self._whole_frames = asyncio.Lock()
        self._watch: asyncio.TimerHandle | None = None
        self.watch()

    @property
    def open(self) -> bool:
        """Whether anything can still be sent."""
        transport = self._request.transport
        return self.parting is None and transport is not None and not transport.is_closing()

    def touch(self) -> None:
        """Something came or went."""
        self._last_s = self.loop.time()

    async def send(self, message: Message, met: Met = NOTHING_MET, face: str = "rpc") -> Delivered:
        """Deliver a text message. Faults may cut it, repeat it, or close the connection instead."""
        if isinstance(message, Pieces):
            if not self._socket.compress and not _is_shaped(met):
                return await self._send_pieces(message.parts)
            message = message.text()
        return await self._send_text(message, met, face)

    async def _send_pieces(self, parts: Sequence[bytes]) -> Delivered:
        """A frame of many pieces; others of this connection wait, those of other connections do not."""
        sent = 0
        try:
            async with self._whole_frames:
                for data in (frames.text_head(sum(map(len, parts))), *parts):
                    await self._write(data)
                    sent += len(data)
                    # A fast reader never fills the buffer; others get their turn all the same.
                    await asyncio.sleep(0)
        except (ConnectionError, RuntimeError):
            return Delivered(sent, "client_gone")
        return Delivered(sent)

    async def _send_text(self, text: str, met: Met, face: str) -> Delivered:
        plan = frames.plan(text, met, face)
        sent = 0
        try:
            if not plan.faults and self._socket.compress and self.open:
                await self._socket.send_str(text)
                self.touch()
                return Delivered(len(text))
            for action in plan.actions:
                match action:
                    case frames.Send(data=data):
                        async with self._whole_frames:
                            await self._write(data)
                        sent += len(data)
                    case frames.Wait(ns=wait_ns):
                        await asyncio.sleep(wait_ns / 1e9)
                    case Close(code=code, reason=reason):
                        await self.close(code, reason, plan.faults)
                    case frames.Abort():
                        self.drop(Parting(ABNORMAL, plan.ending, plan.faults))
        except (ConnectionError, RuntimeError):
            return Delivered(sent, "client_gone", plan.faults)
        return Delivered(sent, plan.ending, plan.faults)

    async def _write(self, data: bytes) -> None:
        transport = self._request.transport
        if not self.open or transport is None:
            raise ConnectionResetError("the client is gone")
        transport.write(data)
        self.touch()
        await self._request.writer.drain()

    async def pong(self, data: bytes) -> None:
        """Answer a ping."""
        async with self._whole_frames:
            if self.open:
                self.touch()
                await self._socket.pong(data)

    async def close(self, code: int, reason: str = "", faults: tuple[str, ...] = ()) -> None:
        """Say goodbye with a close frame and wait a while for the answer."""
        async with self._whole_frames:
            if self.parting is not None:
                return
            self.parting = Parting(code, "complete", faults)
        self.unwatch()
        await self._socket.close(code=code, message=reason.encode()[:_LONGEST_REASON])

    def drop(self, parting: Parting) -> None:
        """End it without a close frame; what was written still goes out, then FIN."""
        if self.parting is None:
            self.parting = parting
            self.unwatch()
            if self._request.transport is not None:
                self._request.transport.close()

    def ended(self, code: int) -> None:
        """The peer ended it, with this close code."""
        self._part(Parting(code, "complete" if code != ABNORMAL else "client_gone"))

    def lost(self) -> None:
        """The connection is gone, or this server stops."""
        self._part(Parting(ABNORMAL, "client_gone"))

    def _part(self, parting: Parting) -> None:
        if self.parting is None:
            self.parting = parting
            self.unwatch()

    def watch(self) -> None:
        """Begin, or begin anew, to look whether the connection is idle."""
        self.unwatch()
        patience_s, _ = self._patience()
        if patience_s is not None and self.parting is None:
            left_s = max(0.0, self._last_s + patience_s - self.loop.time())
            self._watch = self.loop.call_later(left_s, self._look)

    def unwatch(self) -> None:
        """Stop looking."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self) -> None:
        patience_s, faults = self._patience()
        # Loop time is a float: an instant reached exactly may be short of it by its last digit.
        if patience_s is not None and self.loop.time() - self._last_s >= patience_s - 1e-6:
            self.drop(Parting(ABNORMAL, "cut", faults))
        else:
            self.watch()


def _is_shaped(met: Met) -> bool:
    """Whether a fault wants to see the message."""
    return met.close() is not None or any(fault.effect.delivery is not None for fault in met.at(Stage.BODY))
