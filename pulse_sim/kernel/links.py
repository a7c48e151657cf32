"""Directed links between hosts, and the faults laid over them.

A link answers two questions for the transports, both precomputed: how long a segment travels, and whether it travels
at all.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

ANY: Final = "*"


LinkFaultKind = Literal["refuse", "blackhole", "reset", "latency", "down", "unreachable", "unaccepted"]
_KINDS: Final = get_args(LinkFaultKind)
Direction = Literal["both", "forward", "backward"]
_HOLDING: Final = ("blackhole", "unreachable")


@dataclass(frozen=True, slots=True)
class LinkFault:
    """What is wrong between two hosts. ``latency_ns`` and ``jitter_ns`` count only for kind ``latency``.

    refuse: new connections are refused and live ones reset. reset: live connections are reset now, new ones when their
    first bytes arrive. latency: added to every delivery. down: Toxiproxy's disabled proxy, new connections are refused
    and live ones closed (FIN to both ends). blackhole: all that travels in ``direction`` is held until healed; forward
    is src → dst. unreachable: as blackhole both ways, but a connect fails with EHOSTUNREACH after one round trip.
    unaccepted: the kernel completes handshakes, the program never accepts; healed, it accepts what waits.
    """

    kind: LinkFaultKind
    latency_ns: int = 0
    jitter_ns: int = 0
    direction: Direction = "both"

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no such link fault: {self.kind!r}")
        if self.latency_ns < 0 or self.jitter_ns < 0:
            raise ValueError("latency and jitter are not negative")
        if self.direction not in get_args(Direction):
            raise ValueError(f"no such direction: {self.direction!r}")
        if self.direction != "both" and self.kind != "blackhole":
            raise ValueError(f"{self.kind} has no direction")

    def describe(self) -> str:
        """One line for the trace."""
        parts: list[str] = [self.kind, *([self.direction] if self.direction != "both" else [])]
        if self.latency_ns or self.jitter_ns:
            parts.append(f"latency_ns={self.latency_ns} jitter_ns={self.jitter_ns}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Place:
    """Between which hosts something was applied, by name; ``*`` is any host."""

    src: str
    dst: str

    def covers(self, src: str, dst: str) -> bool:
        """Whether it lies on the way src → dst. A host's connections to itself touch no link."""
        return src != dst and self.src in (ANY, src) and self.dst in (ANY, dst)


@dataclass(frozen=True, slots=True)
class AppliedFault(Place):
    """A fault with its place and, for jitter, its own stream."""

    fault: LinkFault
    rng: random.Random


class Link:
    """One direction between two hosts."""

    __slots__ = (
        "_added_ns",
        "_latency_ns",
        "cut",
        "delay_ns",
        "dst",
        "held",
        "jitter",
        "refusing",
        "resetting",
        "src",
        "unaccepting",
        "unreachable",
    )

    def __init__(self, src: str, dst: str, latency_ns: int) -> None:
        self.src = src
        self.dst = dst
        self._latency_ns = latency_ns
        self._added_ns = 0
        self.delay_ns = latency_ns
        self.held = False
        self.cut = False  # held in one direction or the other
        self.refusing = False
        self.resetting = False
        self.unreachable = False
        self.unaccepting = False
        self.jitter: Callable[[], int] | None = None

    @property
    def latency_ns(self) -> int:
        """Healthy one-way travel time; setting it changes open connections at once."""
        return self._latency_ns

    @latency_ns.setter
    def latency_ns(self, value: int) -> None:
        if value < 0:
            raise ValueError("a latency is not negative")
        self._latency_ns = value
        self.delay_ns = value + self._added_ns

    def travel_ns(self) -> int:
        """How long a segment sent now is under way."""
        return self.delay_ns if self.jitter is None else self.delay_ns + self.jitter()

    def lay(self, faults: list[AppliedFault]) -> None:
        """Work out what all applied faults together do to this link."""
        here = [applied for applied in faults if applied.covers(self.src, self.dst)]
        kinds = {applied.fault.kind for applied in here}
        back = [applied for applied in faults if applied.covers(self.dst, self.src)]
        holds_there = {applied.fault.direction for applied in here if applied.fault.kind in _HOLDING}
        holds_back = {applied.fault.direction for applied in back if applied.fault.kind in _HOLDING}
        self.cut = bool(holds_there or holds_back)
        self.held = bool(holds_there & {"both", "forward"} or holds_back & {"both", "backward"})
        self.refusing = bool(kinds & {"refuse", "down"})
        self.resetting = "reset" in kinds
        self.unreachable = "unreachable" in kinds
        self.unaccepting = "unaccepted" in kinds
        self._added_ns = sum(applied.fault.latency_ns for applied in here if applied.fault.kind == "latency")
        self.delay_ns = self._latency_ns + self._added_ns
        jitters = [applied for applied in here if applied.fault.kind == "latency" and applied.fault.jitter_ns]
        self.jitter = (lambda: sum(a.rng.randint(0, a.fault.jitter_ns) for a in jitters)) if jitters else None
