"""The world's own fault kinds, which act on the links between systems and appliances, as data.

A kind says what it asks of a link; whatever carries links out gets a :class:`LinkEffect` and never asks for the kind.
Importing this loads no network code. Names and attributes follow Toxiproxy's toxics, so that either world can do them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field

from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, Parameters, Stage, Witness

LinkEffectKind: TypeAlias = Literal["refuse", "blackhole", "reset", "latency"]


@dataclass(frozen=True)
class LinkEffect:
    """What every link to an appliance does while the window is open; times are added, one way, in nanoseconds.

    ``refuse``: new connections are refused and live ones reset. ``blackhole``: nothing passes, either way.
    ``reset``: live connections are reset, new ones with their first bytes. ``latency``: delivery takes longer.
    """

    kind: LinkEffectKind
    latency_ns: int = 0
    jitter_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class LinkFaultKind(FaultKind):
    """A fault kind of the world: ``link`` maps its parameters to what the links are asked for."""

    link: Callable[[Any], LinkEffect]


class NoParameters(Parameters):
    pass


class Latency(Parameters):
    latency: Duration = Field(description="Added to each delivery, such as 2s")
    jitter: Duration = Field("0s", validate_default=True, description="How far the added time strays either way")


def _slower(parameters: Latency) -> Witness:
    # A poll is at least one exchange, so it lasts at least the smallest time added to one delivery.
    return Witness(poll_slower_than_ns=max(parameters.latency - parameters.jitter, 1))


def _nothing(_: Any) -> Effect:
    """What the appliance itself does: the fault is on the way to it, not in it."""
    return Effect()


_KINDS: Final = (
    LinkFaultKind(
        name="net.down",
        doc="Refuse new connections and reset live ones (Toxiproxy: the proxy disabled).",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=lambda _: Witness(poll_errors=("connection",)),
        effect=_nothing,
        link=lambda _: LinkEffect("refuse"),
    ),
    LinkFaultKind(
        name="net.partition",
        doc="Let nothing pass either way and close nothing (Toxiproxy: timeout 0, in both directions).",
        parameters=NoParameters,
        stage=Stage.DROP,
        witness=lambda _: Witness(poll_errors=("timeout",)),
        effect=_nothing,
        link=lambda _: LinkEffect("blackhole"),
    ),
    LinkFaultKind(
        name="net.reset_peer",
        doc="Reset live connections, and each new one once it is used (Toxiproxy: reset_peer).",
        parameters=NoParameters,
        stage=Stage.DROP,
        witness=lambda _: Witness(poll_errors=("connection",)),
        effect=_nothing,
        link=lambda _: LinkEffect("reset"),
    ),
    LinkFaultKind(
        name="net.latency",
        doc="Deliver later, with jitter, in order (Toxiproxy: latency, in milliseconds there).",
        parameters=Latency,
        stage=Stage.DELAY,
        witness=_slower,
        effect=_nothing,
        link=lambda parameters: LinkEffect("latency", parameters.latency, parameters.jitter),
    ),
)

WORLD_FAULT_KINDS: Final[Mapping[str, LinkFaultKind]] = {kind.name: kind for kind in _KINDS}
