"""The toxics on one direction of one connection, chained in their order of application, between sender and link.

A chain moves segments through its stages when they say so, and carries out what a closing toxic asks: as behind
Toxiproxy, which is the peer of both ends, the two are then closed one after the other. It knows no fault by kind and
draws nothing.
"""

import random
from dataclasses import dataclass
from typing import Final

from pulse_sim.kernel.endpoint import ACCEPT, DATA, FIN, NO_CONTEXT, RST, Detour
from pulse_sim.kernel.sending import WritingEndpoint
from pulse_sim.kernel.timers import TimedHandle
from pulse_sim.kernel.toxics import Toxic
from pulse_sim.kernel.toxics_closing import ABORT, CLOSE, stage_of
from pulse_sim.kernel.toxics_stages import Stage

CHUNK: Final = 32_768
"""Toxiproxy reads at most this many bytes at a time; to it, they are one chunk."""
_MOST_BUFFERED: Final = 1_024 * CHUNK


@dataclass(slots=True)
class _Laid:
    """One toxic here: ``draw`` against its toxicity decides whether it strikes this connection."""

    draw: float
    rng: random.Random
    stage: Stage | None


class Chain:
    """Takes what ``source`` sends and passes on what the toxics make of it."""

    __slots__ = ("_buffered", "_inside", "_laid", "_shut", "_source", "_stages", "_timer", "_timer_ns")

    def __init__(self, source: WritingEndpoint) -> None:
        self._source = source
        self._laid: dict[str, _Laid] = {}
        self._stages: list[Stage] = []
        self._inside = 0  # bytes taken and neither passed on nor dropped
        self._buffered = 0  # of those, what the sender was told has been read
        self._shut = False  # a toxic closed this direction
        self._timer: TimedHandle | None = None
        self._timer_ns = 0

    # ---- toxics

    def lay(self, fault_id: str, toxic: Toxic, draw: float, rng: random.Random) -> None:
        """Add a toxic at the end of the chain."""
        self._laid[fault_id] = _Laid(draw, rng, self._stage(toxic, draw, rng))
        self._restage()
        self._settle()

    def update(self, fault_id: str, toxic: Toxic) -> None:
        """Change a toxic in its place; the connection's draw stays what it was."""
        laid = self._laid.get(fault_id)
        if laid is None:
            return
        if laid.stage is None:
            laid.stage = self._stage(toxic, laid.draw, laid.rng)
            self._restage()
        elif laid.draw < toxic.toxicity:
            now_ns = self._source.loop.clock.now_ns
            behind = self._stages.index(laid.stage) + 1
            for kind, data in laid.stage.update(now_ns, toxic.effect):
                self._pass(behind, kind, data)
        else:
            self._withdraw(laid)
        self._settle()

    def lift(self, fault_id: str) -> None:
        """Take a toxic away; what it held goes on at once."""
        laid = self._laid.pop(fault_id, None)
        if laid is not None:
            self._withdraw(laid)
            self._settle()

    @property
    def idle(self) -> bool:
        """Whether it does nothing that a sender without a chain would not."""
        return not self._laid and not self._shut

    def _stage(self, toxic: Toxic, draw: float, rng: random.Random) -> Stage | None:
        return stage_of(toxic.effect, rng, self._source.loop.clock.now_ns) if draw < toxic.toxicity else None

    def _restage(self) -> None:
        self._stages = [laid.stage for laid in self._laid.values() if laid.stage is not None]

    def _withdraw(self, laid: _Laid) -> None:
        stage, laid.stage = laid.stage, None
        if stage is not None:
            behind = self._stages.index(stage)
            self._stages.remove(stage)
            for kind, data in stage.withdraw():
                self._pass(behind, kind, data)

    # ---- segments

    def feed(self, kind: int, data: bytes) -> None:
        """Take a segment from the sender, or an end of the stream from the other direction's chain."""
        if self._shut:
            return
        if kind == ACCEPT:
            self._source.pass_on(kind, data)
            return
        if kind == DATA:
            self._inside += len(data)
            for start in range(0, len(data), CHUNK):
                self._pass(0, DATA, data[start : start + CHUNK])
        else:
            self._pass(0, kind, data)
        self._settle()

    def stop(self) -> None:
        """Pass nothing on any more: the connection is gone."""
        self._shut = True
        self._stages = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass(self, at: int, kind: int, data: bytes) -> None:
        if at == len(self._stages):
            self._leave(kind, data)
            return
        stage, source = self._stages[at], self._source
        if kind == DATA and stage.buffers:
            read = min(len(data), self._inside - self._buffered, _MOST_BUFFERED - self._buffered)
            self._buffered += read
            source.acknowledge(read)
        dropped = stage.push(source.loop.clock.now_ns, kind, data)
        if dropped:
            self._inside -= dropped
            source.acknowledge(dropped - self._unbuffer(dropped))

    def _leave(self, kind: int, data: bytes) -> None:
        if self._shut:
            return
        if kind == DATA:
            self._inside -= len(data)
            self._source.unacknowledged += self._unbuffer(len(data))
            self._source.pass_on(DATA, data)
        elif kind in (CLOSE, ABORT):
            self._shut = True
            shut(self._source, kind)
        else:
            self._source.pass_on(kind, data)

    def _unbuffer(self, size: int) -> int:
        read = min(size, self._buffered)
        self._buffered -= read
        return read

    def _settle(self) -> None:
        """Pass on all that is due, and come again when the next thing is."""
        self._timer_ns, timer, self._timer = 0, self._timer, None
        if timer is not None:
            timer.cancel()
        loop = self._source.loop
        now_ns = loop.clock.now_ns
        for at, stage in enumerate(self._stages):
            while (due_ns := stage.due_ns()) is not None and due_ns <= now_ns:
                for kind, data in stage.pop(now_ns):
                    self._pass(at + 1, kind, data)
        next_ns = min((due_ns for stage in self._stages if (due_ns := stage.due_ns()) is not None), default=None)
        if next_ns is not None and not self._shut:
            self._timer = loop.call_at_ns(next_ns, self._settle, context=NO_CONTEXT)


class Closed:
    """Nobody is at the other end any more: data is answered with a reset, once."""

    __slots__ = ("_answered", "_end", "chain")

    def __init__(self, end: WritingEndpoint, chain: Chain | None) -> None:
        """``chain``: what was on its way from here still is."""
        self._end = end
        self._answered = False
        self.chain = chain

    def feed(self, kind: int, _data: bytes) -> None:
        end = self._end
        if kind == DATA and not self._answered and not end.link.held:
            self._answered = True
            at_ns = end.loop.clock.now_ns + end.link.travel_ns()
            end.loop.call_at_ns(at_ns, end.peer.pass_on, RST, b"", context=NO_CONTEXT)

    def stop(self) -> None:
        if self.chain is not None:
            self.chain.stop()


def chain_on(end: WritingEndpoint) -> Chain | None:
    """The chain on what ``end`` sends, made if there is none; None once that direction is over."""
    detour: Detour | None = end.detour
    if detour is None:
        end.detour = detour = Chain(end)
    if isinstance(detour, Closed):
        return detour.chain
    return detour if isinstance(detour, Chain) else None


def shut_down(end: WritingEndpoint) -> None:
    """Whoever was at the other end of ``end`` has closed: FIN to its peer, and nothing it sends is read any more."""
    if end.detour is None or isinstance(end.detour, Chain):
        end.pass_on(FIN, b"")
        end.divert(Closed(end, None))


def shut(source: WritingEndpoint, kind: int) -> None:
    """A toxic closes (CLOSE) or resets (ABORT) the connection on what ``source`` sends: first the far end, then this.

    The end of the stream has come to the far end; towards ``source`` it goes behind what the other chain still holds.
    """
    far: WritingEndpoint = source.peer
    source.pass_on(RST if kind == ABORT else FIN, b"")
    if isinstance(far.detour, Closed):
        return
    if far.detour is None or isinstance(far.detour, Chain):
        chain = far.detour
        far.detour = Closed(far, chain)
        if chain is not None:
            chain.feed(kind, b"")
        else:
            far.pass_on(RST if kind == ABORT else FIN, b"")
            source.detour = Closed(source, None)
