"""A scenario as strict data: what stands where, what happens when, what must hold (DESIGN 4.2).

Knows shapes only. Which fault kinds and checks exist, and whether ids fit together, is looked at by the loader.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, StringConstraints, Tag

from pulse_sim.scenario.values import (
    DEFAULT_LATENCY_NS,
    EntryId,
    HostId,
    Id,
    Instant,
    Latency,
    Line,
    ParameterName,
    PollInterval,
    RunLength,
    SampleInterval,
    Scalar,
    ScenarioId,
    StrictModel,
    Text,
    VariableName,
    WindowLength,
)
from pulse_sim.scenario.vocabulary import (
    SAFETY_CRITERIA,
    STANDARD_CRITERIA,
    Criterion,
    FailureClass,
    Fixture,
    Release,
    Variant,
)
from pulse_sim.units import MINUTE, Duration

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class System(StrictModel):
    variant: Variant = Field("truenas-off-by-default", description="Which build of the system runs")
    environment: dict[VariableName, str] = Field(
        default_factory=dict, description="Environment variables, such as PULSE_ENABLE_TRUENAS"
    )


def _default_systems() -> dict[str, System]:
    """The product as shipped, with the feature switched on."""
    return {"pulse": System(environment={"PULSE_ENABLE_TRUENAS": "true"})}


class Behaviour(StrictModel):
    login_rate_limit: bool = Field(True, description="More than 20 calls a minute without login wait and fail")
    revoke_plaintext_keys: bool = Field(False, description="A key used over a plain WebSocket dies (from 25.04 on)")
    failed_login_delay: bool = Field(True, description="A refused login on a WebSocket takes a second or two")
    idle_cut: bool = Field(True, description="The front cuts what is idle for its read timeout")
    gzip: bool = Field(False, description="JSON is compressed for clients that accept it")
    revocation_ends_sessions: bool = Field(False, description="Open sessions end with their key; no release does that")


class Appliance(StrictModel):
    release: Release = Field(description='TrueNAS release in quotes, such as "24.10"')
    fixture: Fixture = Field(description="What the appliance holds: pools, datasets, disks")
    tls: bool = Field(False, description="Serve HTTPS with a self-signed certificate")
    latency: Latency = Field(DEFAULT_LATENCY_NS, description="One way between the systems and the appliance")
    behaviour: Behaviour = Field(default_factory=Behaviour, description="Switches of what an appliance does by itself")


class Connection(StrictModel):
    appliance: HostId = Field(description="The appliance the connection points at")
    system: HostId = Field("pulse", description="The system that polls")
    poll_interval: PollInterval = Field(MINUTE, description="Time between two polls, 1s to 1h")
    verify_tls: Literal["skip", "pin"] = Field("skip", description="Skip certificate checks, or pin the certificate")
    credentials: Literal["api_key", "basic"] = Field("api_key", description="How the system logs in")


class Repeat(StrictModel):
    every: WindowLength = Field(description="From the start of one window to the start of the next")
    times: Annotated[int, Field(ge=1, le=1000)] = Field(description="How many windows")


class FaultEntry(StrictModel):
    at: Duration = Field(description="When the fault begins, since the start of the run")
    length: WindowLength = Field(alias="for", description="How long it lasts; the window is [at, at + for)")
    fault: Word = Field(description="The fault kind")
    on: HostId = Field(description="The appliance or system it happens to")
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with", description="Parameters of the fault kind")
    id: EntryId | None = Field(None, description="Name of the window; made from kind, appliance and time when left out")
    repeat: Repeat | None = Field(None, description="The same window again and again")


class ActionEntry(StrictModel):
    at: Duration = Field(description="When it is done, since the start of the run")
    do: Word = Field(description="The action")
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with", description="Parameters of the action")
    system: HostId | None = Field(None, description="The system it is done to; found from the connection when left out")
    id: EntryId | None = Field(None, description="Name of the action; made from action, target and time when left out")


def _entry_kind(entry: Any) -> str | None:
    if isinstance(entry, FaultEntry | ActionEntry):
        return "fault entry" if isinstance(entry, FaultEntry) else "action entry"
    if not isinstance(entry, dict):
        return None
    if "do" in entry:
        return "action entry"
    # a misspelled "fault" still shows by its company, and is then reported as the unknown key it is
    return "fault entry" if entry.keys() & {"fault", "for", "on", "repeat"} else None


Entry = Annotated[
    Annotated[FaultEntry, Tag("fault entry")] | Annotated[ActionEntry, Tag("action entry")],
    Discriminator(
        _entry_kind,
        custom_error_type="entry_kind",
        custom_error_message="an entry is a mapping with either fault or do",
    ),
]


class Sampling(StrictModel):
    metrics: SampleInterval = Field(MINUTE, description="Between two scrapes of /metrics")
    resources: SampleInterval = Field(5 * MINUTE, description="Between two looks at resources and connections")


def _forwards(between: tuple[int, int]) -> tuple[int, int]:
    if between[0] >= between[1]:
        raise ValueError("the second time must be later than the first")
    return between


Abort = Annotated[
    Annotated[Literal["safety", "standard", "none"], Tag("name")]
    | Annotated[tuple[Criterion, ...], Field(min_length=1), Tag("criteria")],
    Discriminator(
        lambda abort: "name" if isinstance(abort, str) else "criteria" if isinstance(abort, list | tuple) else None,
        custom_error_type="abort",
        custom_error_message="must be safety, standard, a list of criteria, or none written out",
    ),
]


def criteria_of(abort: str | Sequence[str]) -> tuple[Criterion, ...]:
    """The criteria a name or a list stands for, in a fixed order; none for ``none``."""
    if isinstance(abort, str):
        return {"safety": SAFETY_CRITERIA, "standard": STANDARD_CRITERIA}.get(abort, ())
    return tuple(criterion for criterion in STANDARD_CRITERIA if criterion in abort)


class ExpectedAbort(StrictModel):
    criterion: Criterion = Field(description="The criterion that must fire")
    between: Annotated[tuple[Duration, Duration], AfterValidator(_forwards)] = Field(description="In which window")


class RollbackEntry(StrictModel):
    after: Duration = Field(description="When it is done, since the abort")
    do: Word = Field(description="The action")
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with", description="Parameters of the action")
    system: HostId | None = Field(None, description="The system it is done to; found from the connection when left out")


class Scenario(StrictModel):
    """One scenario. Every duration is nanoseconds; :func:`pulse_sim.scenario.load.load_scenario` makes it."""

    version: Literal[1] = Field(description="Version of this format")
    id: ScenarioId = Field(description="Name of the scenario, unique in a catalogue")
    title: Line = Field(description="What happens, in one line")
    packet: Id | None = Field(None, description="The rollout packet it belongs to, such as TRR-04")
    failure_class: FailureClass | None = Field(None, description="The failure class it is evidence for")
    hypothesis: Text = Field(description="What should be seen if the system is sound")
    start: Instant = Field(description="Wall clock time at which the run begins, in UTC")
    duration: RunLength = Field(description="Length of the run, settling included")
    systems: Annotated[dict[HostId, System], Field(min_length=1)] = Field(
        default_factory=_default_systems, description="The systems under test; one called pulse when left out"
    )
    appliances: Annotated[dict[HostId, Appliance], Field(min_length=1)] = Field(description="The NAS boxes")
    connections: dict[Id, Connection] = Field(default_factory=dict, description="Connections present from the start")
    sampling: Sampling = Field(default_factory=lambda: Sampling.model_validate({}), description="How often to look")
    timeline: tuple[Entry, ...] = Field((), description="Faults and operator actions")
    abort: Abort = Field(description="Which criteria end the run early; none must be written out")
    expect_abort: ExpectedAbort | None = Field(None, description="The run passes only if exactly this abort happens")
    rollback: tuple[RollbackEntry, ...] = Field((), description="What is done after an abort")
    settle_after_abort: WindowLength = Field(5 * MINUTE, description="How long the run goes on after the rollback")
    checks: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)] = Field(description="What must hold")
    matrix: dict[ParameterName, Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=32)]] = Field(
        default_factory=dict, description="Values for ${name}; one scenario for every combination"
    )
    parameters: dict[ParameterName, Scalar] = Field(
        default_factory=dict, description="The matrix values this scenario was made with; written by the tool"
    )

    _template: dict[str, Any] | None = PrivateAttr(default=None)

    @property
    def abort_criteria(self) -> tuple[Criterion, ...]:
        """The criteria that ``abort`` stands for."""
        return criteria_of(self.abort)

    @property
    def start_ns(self) -> int:
        """Unix time of the start in nanoseconds."""
        since = self.start - datetime(1970, 1, 1, tzinfo=self.start.tzinfo)
        return (since.days * 86_400 + since.seconds) * 1_000_000_000
