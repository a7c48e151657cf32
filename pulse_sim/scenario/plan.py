"""A plan as strict data: packets, their evidence, the gates that judge it (DESIGN 4.3).

A plan must load where nothing that happens can be imported, so this knows no fault, check or action.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from pulse_sim.scenario.document import Document, parse_document, read_document
from pulse_sim.scenario.plan_rules import plan_findings
from pulse_sim.scenario.validation import validate
from pulse_sim.scenario.values import (
    EntryId,
    HostId,
    Id,
    Line,
    ParameterName,
    RunLength,
    Scalar,
    ScenarioId,
    StrictModel,
    Text,
)
from pulse_sim.units import MINUTE

PROGRAMS: Final = ("pulse-sim", "mock-truenas", "promtool", "pytest")

Priority = Literal["P0", "P1", "P2"]
Severity = Literal["sev-1", "sev-2", "sev-3", "sev-4"]
Seed = Annotated[int, Field(ge=0, lt=10**18)]


def _scenario_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or "\\" in text or not text.isprintable():
        raise ValueError("a scenario is named by a path relative to the plan file, with forward slashes")
    if path.suffix not in (".yaml", ".yml"):
        raise ValueError("a scenario file ends in .yaml")
    climbs = [position for position, part in enumerate(path.parts) if part == ".."]
    if climbs not in ([], [0]):
        # one level up is the catalogue the plan belongs to; nothing outside it is a scenario
        raise ValueError("a scenario lies below the directory above the plan file: at most one leading ../")
    return text


def _command(argv: tuple[str, ...]) -> tuple[str, ...]:
    if argv[0] not in PROGRAMS:
        raise ValueError(f"{argv[0][:60]!r} is not a program a plan may run; known: {', '.join(PROGRAMS)}")
    for argument in argv[1:]:
        if argument == "--sut" or argument.startswith("--sut="):
            raise ValueError("only the command line may name a system under test (--sut)")
        if "\0" in argument:
            raise ValueError("an argument holds a NUL")
    return argv


def _no_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise ValueError("the same value twice")
    return values


class ScenarioEvidence(StrictModel):
    id: EntryId = Field(description="Name of the evidence, unique in the plan")
    scenario: Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_scenario_path)] = Field(
        description="Scenario file, relative to the plan file"
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000), AfterValidator(_no_repeats)] | None = (
        Field(None, description="Seeds to run it with; one run with the default seed when left out")
    )
    matrix: dict[ParameterName, Scalar] = Field(
        default_factory=dict, description="Only the combinations with these values"
    )


class CommandEvidence(StrictModel):
    id: EntryId = Field(description="Name of the evidence, unique in the plan")
    command: Annotated[tuple[str, ...], Field(min_length=1, max_length=100), AfterValidator(_command)] = Field(
        description="Program and arguments; no shell reads them"
    )
    timeout: RunLength = Field(10 * MINUTE, description="After this the evidence is timed out")


class InventoryEvidence(StrictModel):
    id: EntryId = Field(description="Name of the evidence, unique in the plan")
    inventory: Literal["resolved"] = Field(
        description="What was tested with what: system under test, mock releases, scenario digests, tools"
    )


_KINDS: Final[dict[type, str]] = {
    ScenarioEvidence: "scenario evidence",
    CommandEvidence: "command evidence",
    InventoryEvidence: "inventory evidence",
}


def _evidence_kind(evidence: Any) -> str | None:
    if not isinstance(evidence, dict):
        return _KINDS.get(type(evidence))
    for key, kind in (("scenario", "scenario evidence"), ("inventory", "inventory evidence")):
        if key in evidence:
            return kind
    return "command evidence" if evidence.keys() & {"command", "timeout"} else None


Evidence = Annotated[
    Annotated[ScenarioEvidence, Tag("scenario evidence")]
    | Annotated[CommandEvidence, Tag("command evidence")]
    | Annotated[InventoryEvidence, Tag("inventory evidence")],
    Discriminator(
        _evidence_kind,
        custom_error_type="evidence_kind",
        custom_error_message="evidence is a mapping with one of scenario, command and inventory",
    ),
]


class Gate(StrictModel):
    id: EntryId = Field(description="Name of the gate, unique in the plan")
    title: Line = Field(description="What holds when it is passed")
    priority: Priority = Field(description="P0 blocks, P1 and P2 become conditions")
    evidence: Annotated[tuple[EntryId, ...], AfterValidator(_no_repeats)] = Field(
        (), description="Evidence it is judged by"
    )
    open: Text | None = Field(None, description="Why it is open: no evidence exists yet")
    attest: Id | None = Field(None, description="The human input that closes it")
    checks: Annotated[tuple[Id, ...], AfterValidator(_no_repeats)] = Field(
        (), description="Judge these checks of the evidence only"
    )
    requires: Annotated[tuple[Id, ...], AfterValidator(_no_repeats)] = Field(
        (), description="Capabilities without which the gate is not applicable"
    )
    owner: Line | None = Field(None, description="Who answers for it")
    risk: Line | None = Field(None, description="The risk while it is open, by id or in words")
    severity: Severity | None = Field(None, description="How bad the risk is")
    target: date | None = Field(None, description="By when it will be closed")
    rollback: Text | None = Field(None, description="What is done if the risk comes true")


class Blockade(StrictModel):
    why: Text = Field(description="Why the packet cannot be certified")
    unblocked_by: Text = Field(description="What would unblock it")


class Packet(StrictModel):
    id: EntryId = Field(description="Name of the packet, such as TRR-04")
    title: Line = Field(description="What it certifies")
    objective: Text | None = Field(None, description="What it is for")
    owner: Line | None = Field(None, description="Who answers for it")
    rollback: Text | None = Field(None, description="How what it certifies is taken back")
    depends_on: Annotated[tuple[EntryId, ...], AfterValidator(_no_repeats)] = Field(
        (), description="Packets that must be DONE before"
    )
    blockade: Blockade | None = Field(None, alias="blocked", description="Why nothing can be certified yet")
    evidence: tuple[Evidence, ...] = Field((), description="What is produced")
    gates: tuple[Gate, ...] = Field((), description="What is judged")


class Phase(StrictModel):
    """One rollout phase as the plan rehearses it (contract A11)."""

    id: EntryId = Field(description="Name of the phase, unique in the plan")
    title: Line = Field(description="Who gets the feature in it")
    packet: EntryId = Field(description="The packet whose gates and evidence it is made of")
    evidence: Annotated[tuple[EntryId, ...], Field(min_length=1), AfterValidator(_no_repeats)] = Field(
        description="Scenarios that rehearse it"
    )
    checkpoints: Annotated[tuple[EntryId, ...], Field(min_length=1), AfterValidator(_no_repeats)] = Field(
        description="Gates that its checkpoints are green"
    )
    exit: Annotated[tuple[EntryId, ...], Field(min_length=1), AfterValidator(_no_repeats)] = Field(
        description="Gates that must be closed before the next phase"
    )
    rollback: Annotated[tuple[EntryId, ...], Field(min_length=1), AfterValidator(_no_repeats)] = Field(
        description="Gates that show the way back"
    )
    duration: RunLength = Field(description="How long it must have been rehearsed, in virtual time")
    issues: Id = Field(description="The human input that no critical or high issue is open")
    sign_off: Id = Field(description="The human input that the phase is signed off")


class FailureClassRow(StrictModel):
    id: HostId = Field(description="Such as api-timeout")
    title: Line = Field(description="The class in words")
    evidence: Annotated[tuple[EntryId, ...], Field(min_length=1)] = Field(description="Evidence that it is survived")


class LeftOut(StrictModel):
    packet: EntryId = Field(description="A packet this plan does not certify")
    why: Text = Field(description="Why not")


class Waiver(StrictModel):
    gate: EntryId = Field(description="A gate that does not block")
    owner: Line = Field(description="Who vouches for it")
    reason: Text = Field(description="Why it may stay open")
    expires: date = Field(description="The first day on which it holds no more")


class Drift(StrictModel):
    id: EntryId
    title: Line = Field(description="Where product and plan differ")
    state: Literal["MATCHED", "DRIFT_ACCEPTED", "DRIFT_FIX_REQUIRED", "DEFERRED"] = Field(alias="class")
    reason: Text | None = Field(None, description="Needed for everything but MATCHED")
    severity: Severity | None = Field(None, description="Needed for DEFERRED, which goes to the debt ledger")
    owner: Line | None = Field(None, description="Needed for DEFERRED")
    milestone: Line | None = Field(None, description="Needed for DEFERRED")
    target: date | None = Field(None, description="By when a DEFERRED difference is gone")


class Debt(StrictModel):
    id: EntryId
    title: Line
    severity: Severity
    owner: Line
    milestone: Line
    target: date | None = None


class ResidualRisk(StrictModel):
    id: EntryId = Field(description="Name of the risk, such as TRR-R20")
    title: Line = Field(description="What may still go wrong after a GO")
    severity: Severity = Field(description="How bad it is")
    owner: Line = Field(description="Who watches it")
    rollback: Text = Field(description="What is done if it comes true")
    packet: EntryId | None = Field(None, description="The packet it remains after")


class Plan(StrictModel):
    """One plan. Satisfies what the verdict's fold asks of a plan."""

    version: Literal[1] = Field(description="Version of this format")
    id: ScenarioId = Field(description="Name of the plan")
    title: Line = Field(description="What a GO of this plan allows")
    p1_blocks: bool = Field(False, description="Whether an open P1 gate blocks, as it does for release confidence")
    leaves_out: tuple[LeftOut, ...] = Field((), description="Packets of the rollout this plan does not certify")
    failure_classes: tuple[FailureClassRow, ...] = Field((), description="Rows of the first page")
    packets: Annotated[tuple[Packet, ...], Field(min_length=1)] = Field(description="What is certified")
    drift: tuple[Drift, ...] = Field((), description="The drift table")
    debt: tuple[Debt, ...] = Field((), description="The debt ledger")
    phases: tuple[Phase, ...] = Field((), description="Rollout phases with their transition checklists")
    residual_risks: tuple[ResidualRisk, ...] = Field((), description="Risks that remain after a GO")
    waivers: tuple[Waiver, ...] = Field((), description="Open gates somebody vouches for")


def load_plan(path: FilePath | str) -> Plan:
    """The plan in a file. Raises DocumentError with all its problems; a missing scenario file is none of them."""
    return _plan(read_document(path))


def parse_plan(file: str, content: bytes) -> Plan:
    """As :func:`load_plan`, from bytes; ``file`` is only what problems are reported under."""
    return _plan(parse_document(file, content))


def scenario_file(plan_file: FilePath | str, evidence: ScenarioEvidence) -> FilePath:
    """Where the scenario of an evidence item of the plan in ``plan_file`` lies."""
    return FilePath(plan_file).parent / evidence.scenario


def missing_scenarios(plan: Plan, plan_file: FilePath | str) -> dict[str, FilePath]:
    """Evidence ids whose scenario file is not there, with where it should be, in the plan's order."""
    wanted = {item.id: scenario_file(plan_file, item) for item in scenario_evidence(plan)}
    return {name: path for name, path in wanted.items() if not path.is_file()}


def scenario_evidence(plan: Plan) -> Iterator[ScenarioEvidence]:
    """Every evidence item that is a scenario, in the plan's order."""
    for packet in plan.packets:
        yield from (item for item in packet.evidence if isinstance(item, ScenarioEvidence))


def _plan(document: Document) -> Plan:
    plan = validate(Plan, document.data, document.texts)
    document.report(plan if isinstance(plan, list) else [])
    document.report(plan_findings(document.data))
    document.refuse_problems()
    assert isinstance(plan, Plan)
    return plan
