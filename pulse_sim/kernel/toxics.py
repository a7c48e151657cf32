"""Toxiproxy's toxics as data: what is done to one direction of a connection, in Toxiproxy's names and units.

Attribute names, units and meaning are those of Toxiproxy 2.x, https://github.com/Shopify/toxiproxy: milliseconds, kB/s
(1 kB = 1,000 bytes), bytes, and microseconds for ``Slicer.delay``. How a toxic acts is elsewhere.
"""

from dataclasses import dataclass, fields
from typing import Final, Literal

Stream = Literal["upstream", "downstream"]


@dataclass(frozen=True, slots=True)
class Latency:
    """All data is late by ``latency`` ± ``jitter`` ms, uniform in whole ms; the end of the stream only waits for it."""

    latency: int
    jitter: int = 0


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """``rate`` kB/s, in steps of at most 100 ms; at rate 0 no byte passes until it is raised."""

    rate: int


@dataclass(frozen=True, slots=True)
class SlowClose:
    """The end of the stream comes ``delay`` ms late."""

    delay: int


@dataclass(frozen=True, slots=True)
class Timeout:
    """Data is dropped; ``timeout`` ms after the last of it the connection is closed, at 0 only when this is removed."""

    timeout: int


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Both ends are reset ``timeout`` ms after the first data, which is dropped."""

    timeout: int = 0


@dataclass(frozen=True, slots=True)
class Slicer:
    """Data comes in pieces of ``average_size`` ± ``size_variation`` bytes, ``delay`` µs after one another."""

    average_size: int
    size_variation: int = 0
    delay: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.size_variation < self.average_size:
            raise ValueError("size_variation is less than average_size, and average_size at least 1")


@dataclass(frozen=True, slots=True)
class LimitData:
    """After exactly ``bytes`` bytes the connection is closed."""

    bytes: int


Effect = Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData

EFFECTS: Final[dict[str, type[Effect]]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
}
"""By Toxiproxy's own names."""

_NAMES: Final = {effect: name for name, effect in EFFECTS.items()}


@dataclass(frozen=True, slots=True)
class Toxic:
    """An effect on one stream: ``upstream`` is client → server. ``toxicity`` is the share of connections it strikes."""

    effect: Effect
    stream: Stream = "downstream"
    toxicity: float = 1.0

    def __post_init__(self) -> None:
        if self.stream not in ("upstream", "downstream"):
            raise ValueError(f"no such stream: {self.stream!r}")
        if not 0 <= self.toxicity <= 1:
            raise ValueError("a toxicity is between 0 and 1")
        if any(value < 0 for value in self.attributes().values()):
            raise ValueError(f"a negative attribute: {self.effect!r}")

    @property
    def kind(self) -> str:
        """Toxiproxy's name of the effect."""
        return _NAMES[type(self.effect)]

    def attributes(self) -> dict[str, int]:
        """The effect's attributes, as Toxiproxy's HTTP API has them."""
        return {field.name: getattr(self.effect, field.name) for field in fields(self.effect)}

    def describe(self) -> str:
        """One line for the trace."""
        values = " ".join(f"{name}={value}" for name, value in self.attributes().items())
        return f"{self.kind} {self.stream} toxicity={self.toxicity} {values}"
