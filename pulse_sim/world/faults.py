"""The world's own fault kinds, which act between systems and appliances, as data.

A kind says what it asks of the links to an appliance or of the answers for its name; whatever carries that out gets a
:class:`WorldEffect` and never asks for the kind. Importing this loads no network code. Toxics have Toxiproxy's names,
attributes and units (https://github.com/Shopify/toxiproxy), so that either world can do them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, model_validator

from mock_truenas.durations import Duration
from mock_truenas.faults.kind import ALL_WORLDS, Effect, FaultKind, Parameters, Stage, Witness

MILLISECOND: Final = 1_000_000
_SMALLEST_POLL: Final = 1_000
"""Bytes of answers, heads included, that any poll of an appliance reads at least."""


@dataclass(frozen=True)
class LinkEffect:
    """What every link to an appliance does while the window is open; ``forward`` is towards the appliance.

    ``down``: refused, live connections closed. ``refuse``: refused, live ones reset. ``blackhole``: nothing passes.
    ``unreachable``: no route. ``unaccepted``: connections are made and never served.
    """

    kind: Literal["down", "refuse", "blackhole", "unreachable", "unaccepted"]
    direction: Literal["both", "forward", "backward"] = "both"


@dataclass(frozen=True)
class ToxicEffect:
    """A toxic on the connections to an appliance: Toxiproxy's type, attributes, stream and toxicity."""

    type: str
    attributes: Mapping[str, int]
    stream: Literal["downstream", "upstream"]
    toxicity: float


@dataclass(frozen=True)
class NameEffect:
    """What is answered to anyone who asks for an appliance's name. ``delay_ns`` counts for ``slow``."""

    kind: Literal["nxdomain", "servfail", "slow", "silence"]
    delay_ns: int = 0


@dataclass(frozen=True)
class ClockEffect:
    """By how much the wall clock of a host jumps; healed, it jumps back."""

    step_ns: int


WorldEffect: TypeAlias = LinkEffect | ToxicEffect | NameEffect | ClockEffect


@dataclass(frozen=True, kw_only=True)
class WorldFaultKind(FaultKind):
    """A fault kind of the world: ``between`` maps its parameters to what is asked of the network or a host."""

    between: Callable[[Any], WorldEffect]


class NoParameters(Parameters):
    pass


class Partition(Parameters):
    direction: Literal["both", "to_appliance", "from_appliance"] = Field(
        "both", description="Which way nothing passes: both, to_appliance or from_appliance"
    )


class SlowAnswer(Parameters):
    delay: Duration = Field(description="How much later the name server answers, such as 2s")


class ClockStep(Parameters):
    by: Duration = Field(description="How far the clock jumps, such as 1h")
    direction: Literal["forward", "backward"] = Field("forward", description="Which way: forward or backward")

    def step_ns(self) -> int:
        """The jump, negative when it goes back."""
        return self.by if self.direction == "forward" else -self.by


Count = Annotated[int, Field(ge=0)]


class ToxicParameters(Parameters):
    """Base of the toxics: the fields of a subclass are the attributes."""

    stream: Literal["downstream", "upstream"] = Field(
        "downstream", description="downstream is from the appliance, upstream to it"
    )
    toxicity: Annotated[float, Field(ge=0, le=1)] = Field(1.0, description="Share of the connections it strikes")


class Latency(ToxicParameters):
    latency: Count = Field(description="Added to all data, in ms, such as 2000")
    jitter: Count = Field(0, description="How far the added time strays either way, in ms")


class Bandwidth(ToxicParameters):
    rate: Count = Field(description="What passes, in KB/s; at 0 nothing does")


class SlowClose(ToxicParameters):
    delay: Count = Field(description="How much later the end of the stream comes, in ms")


class Timeout(ToxicParameters):
    timeout: Count = Field(0, description="Data is dropped, and after this many ms the connection closed; at 0 never")


class ResetPeer(ToxicParameters):
    timeout: Count = Field(0, description="How long after the first data the connection is reset, in ms")


class Slicer(ToxicParameters):
    average_size: Annotated[int, Field(ge=1)] = Field(description="Bytes of a piece, such as 100")
    size_variation: Count = Field(0, description="How far a piece strays from that; less than average_size")
    delay: Count = Field(0, description="Between two pieces, in microseconds")

    @model_validator(mode="after")
    def _pieces_have_a_size(self) -> "Slicer":
        if self.size_variation >= self.average_size:
            raise ValueError("size_variation must be less than average_size")
        return self


class LimitData(ToxicParameters):
    bytes: Count = Field(description="After this many bytes the connection is closed")


_SIMULATED: Final = frozenset({"simulated"})
"""What neither Toxiproxy nor the mock can do on real sockets."""

_COMMON: Final = frozenset(ToxicParameters.model_fields)
_DIRECTIONS: Final[Mapping[str, Literal["both", "forward", "backward"]]] = {
    "both": "both",
    "to_appliance": "forward",
    "from_appliance": "backward",
}


def _link(kind: Literal["down", "refuse", "unreachable", "unaccepted"]) -> Callable[[Any], LinkEffect]:
    return lambda _: LinkEffect(kind)


def _toxic(type_: str) -> Callable[[Any], ToxicEffect]:
    def between(parameters: ToxicParameters) -> ToxicEffect:
        attributes = {name: value for name, value in parameters if name not in _COMMON}
        return ToxicEffect(type_, attributes, parameters.stream, parameters.toxicity)

    return between


def _errors(*types: str) -> Callable[[Any], Witness]:
    return lambda _: Witness(poll_errors=types)


def _later(parameters: Latency) -> Witness:
    # A poll is at least one exchange, so it lasts at least the smallest time added to one delivery.
    least_ms = parameters.latency - parameters.jitter
    return Witness(poll_errors=("timeout",), poll_slower_than_ns=max(least_ms * MILLISECOND, 1))


def _narrower(parameters: Bandwidth) -> Witness:
    if parameters.rate == 0:
        return Witness(poll_errors=("timeout",))
    added_ns = _SMALLEST_POLL * 1_000_000_000 // (parameters.rate * 1_000)
    return Witness(poll_errors=("timeout",), poll_slower_than_usual_ns=max(added_ns, 1))


def _ends_late(parameters: SlowClose) -> Witness:
    # Only a client that reads to the end of the stream waits for it; one that has its whole answer does not look.
    return Witness(poll_slower_than_ns=max(parameters.delay * MILLISECOND, 1))


def _in_pieces(parameters: Slicer) -> Witness:
    # Pieces without time between them look to a client as the whole did, and then nothing shows the effect.
    return Witness(poll_slower_than_usual_ns=parameters.delay * 1_000) if parameters.delay else Witness()


def _closed(parameters: Timeout) -> Witness:
    return Witness(poll_errors=("timeout", "connection") if parameters.timeout else ("timeout",))


def _slow_name(parameters: SlowAnswer) -> Witness:
    return Witness(poll_errors=("timeout", "connection"), poll_slower_than_ns=max(parameters.delay, 1))


def _kind(
    name: str,
    doc: str,
    parameters: type[Parameters],
    stage: Stage,
    witness: Callable[[Any], Witness],
    between: Callable[[Any], WorldEffect],
    worlds: frozenset[str] = ALL_WORLDS,
    target: Literal["appliance", "system"] = "appliance",
) -> WorldFaultKind:
    """A row; the appliance itself does nothing, as the fault is on the way to it or elsewhere."""
    return WorldFaultKind(
        name=name,
        doc=doc,
        parameters=parameters,
        stage=stage,
        witness=witness,
        effect=lambda _: Effect(),
        worlds=worlds,
        target=target,
        between=between,
    )


_KINDS: Final = (
    _kind(
        "net.down",
        "Refuse new connections and close live ones (Toxiproxy: the proxy disabled).",
        NoParameters,
        Stage.REFUSE,
        _errors("connection"),
        _link("down"),
    ),
    _kind(
        "net.refuse",
        "Refuse new connections and reset live ones, as a host whose program died.",
        NoParameters,
        Stage.REFUSE,
        _errors("connection"),
        _link("refuse"),
        _SIMULATED,
    ),
    _kind(
        "net.unreachable",
        "Let nothing pass; a router answers new connections that there is no route (EHOSTUNREACH).",
        NoParameters,
        Stage.REFUSE,
        _errors("connection", "timeout"),
        _link("unreachable"),
        _SIMULATED,
    ),
    _kind(
        "net.partition",
        "Let nothing pass one way or both and close nothing.",
        Partition,
        Stage.DROP,
        _errors("timeout"),
        lambda parameters: LinkEffect("blackhole", _DIRECTIONS[parameters.direction]),
    ),
    _kind(
        "net.unaccepted",
        "Make new connections and never serve them, as a kernel whose program hangs.",
        NoParameters,
        Stage.DROP,
        _errors("timeout"),
        _link("unaccepted"),
        _SIMULATED,
    ),
    _kind(
        "net.latency",
        "Deliver data later, with jitter, in order (Toxiproxy: latency).",
        Latency,
        Stage.DELAY,
        _later,
        _toxic("latency"),
    ),
    _kind(
        "net.bandwidth",
        "Let data pass at a limited rate (Toxiproxy: bandwidth).",
        Bandwidth,
        Stage.PACE,
        _narrower,
        _toxic("bandwidth"),
    ),
    _kind(
        "net.slow_close",
        "Deliver the end of the stream later (Toxiproxy: slow_close); felt only by who reads to that end.",
        SlowClose,
        Stage.PACE,
        _ends_late,
        _toxic("slow_close"),
    ),
    _kind(
        "net.timeout",
        "Drop all data, and close the connection after a time (Toxiproxy: timeout).",
        Timeout,
        Stage.DROP,
        _closed,
        _toxic("timeout"),
    ),
    _kind(
        "net.reset_peer",
        "Reset each connection once it is used (Toxiproxy: reset_peer).",
        ResetPeer,
        Stage.DROP,
        _errors("connection", "timeout"),
        _toxic("reset_peer"),
    ),
    _kind(
        "net.slicer",
        "Cut data into small pieces with time between them (Toxiproxy: slicer).",
        Slicer,
        Stage.PACE,
        _in_pieces,
        _toxic("slicer"),
    ),
    _kind(
        "net.limit_data",
        "Close each connection after a number of bytes (Toxiproxy: limit_data).",
        LimitData,
        Stage.BODY,
        _errors("api", "connection"),
        _toxic("limit_data"),
    ),
    _kind(
        "dns.nxdomain",
        "Answer that the appliance's name does not exist (EAI_NONAME).",
        NoParameters,
        Stage.REFUSE,
        _errors("connection"),
        lambda _: NameEffect("nxdomain"),
        _SIMULATED,
    ),
    _kind(
        "dns.servfail",
        "Answer that the name server cannot tell (EAI_AGAIN).",
        NoParameters,
        Stage.REFUSE,
        _errors("connection"),
        lambda _: NameEffect("servfail"),
        _SIMULATED,
    ),
    _kind(
        "dns.slow",
        "Answer for the appliance's name later; from 10 s on a resolver has given up (EAI_AGAIN).",
        SlowAnswer,
        Stage.DELAY,
        _slow_name,
        lambda parameters: NameEffect("slow", parameters.delay),
        _SIMULATED,
    ),
    _kind(
        "dns.silence",
        "Never answer for the appliance's name; a resolver asks again after 5 s and gives up after 10 s (EAI_AGAIN).",
        NoParameters,
        Stage.DROP,
        _errors("timeout", "connection"),
        lambda _: NameEffect("silence"),
        _SIMULATED,
    ),
    _kind(
        "clock.step",
        "Have the system's wall clock jump, and back at the end; monotonic time goes on as before.",
        ClockStep,
        Stage.STATE,
        lambda parameters: Witness(clock_off_ns=parameters.step_ns()),
        lambda parameters: ClockEffect(parameters.step_ns()),
        _SIMULATED,
        target="system",
    ),
)

WORLD_FAULT_KINDS: Final[Mapping[str, WorldFaultKind]] = {kind.name: kind for kind in _KINDS}
