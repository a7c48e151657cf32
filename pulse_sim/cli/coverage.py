"""What the passed runs of a verdict exercised: release by face by fault by failure class, capabilities and checks.

Made of the runs' own files and the tables of what could have been exercised; plain data for ``coverage.json``. It
decides nothing: it shows what a GO says nothing about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import Json
from pulse_sim.checks import CHECK_KINDS
from pulse_sim.evidence.hostile import BundleDamaged, read_json, read_yaml
from pulse_sim.evidence.names import SCENARIO, TIMELINE_DATA
from pulse_sim.outcome import Outcome
from pulse_sim.report.coverage import VERSION
from pulse_sim.report.timeline_data import read_timeline_data
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS
from pulse_sim.scenario.plan import Plan
from pulse_sim.sut.protocol import Capability
from pulse_sim.verdict import EvidenceResult, RunSummary
from pulse_sim.world.releases import RELEASE_FACES

EFFECT_CHECK: Final = "faults_took_effect"
NEEDED_BY: Final[Mapping[Capability, frozenset[str]]] = {
    Capability.METRICS: frozenset({"poll_errors", "poll_success_rate", "staleness_below", "recovers", "no_leaks"}),
    Capability.API_V2_RESOURCES: frozenset({"resource_status", "source_status", "recovers"}),
    Capability.BREAKER_METRICS: frozenset({"recovers"}),
    Capability.RUNTIME_METRICS: frozenset({"no_leaks"}),
    Capability.RESTART: frozenset({"restart_system"}),
    Capability.KILL: frozenset({"kill_system"}),
    Capability.REMOVE_FILE: frozenset({"remove_file"}),
    Capability.REST_TRANSPORT: frozenset({"rest"}),
}
"""What exercises a capability: a check that passed, an action that was done, or a face that was asked."""
_OCCASIONS: Final[Mapping[str, frozenset[str]]] = {
    "rest": frozenset({"request", "call", "page"}),
    "rpc": frozenset({"handshake", "call", "event", "page"}),
    "ddp": frozenset({"handshake", "call", "event", "page"}),
}
"""What happens on each face, for a fault to act on."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault felt on one release over one face in a run of one failure class, which may be none."""

    fault: str
    release: str
    face: str
    failure_class: str


@dataclass(frozen=True, slots=True)
class Exercised:
    """What one passed run exercised; ``words`` are names of checks, actions and faces."""

    failure_class: str
    asked: frozenset[tuple[str, str]]
    cells: frozenset[Cell]
    words: frozenset[str]


def coverage_of(
    plan: Plan,
    results: Mapping[str, EvidenceResult],
    runs_path: Path,
    capabilities: frozenset[str] | None,
) -> dict[str, Json]:
    """The content of ``coverage.json``. A run whose files cannot be read exercised nothing."""
    runs = {run.run: run for result in results.values() for run in result.runs}
    classes = _classes(plan, results)
    exercised = [
        found
        for run in runs.values()
        if run.outcome is Outcome.PASSED and (found := exercised_by(runs_path / run.run, run, classes.get(run.run)))
    ]
    return {
        "version": VERSION,
        "runs": {"passed": len(exercised), "all": len(runs)},
        "releases": _releases(exercised),
        "faults": _faults(exercised),
        "failure_classes": [
            {
                "id": row.id,
                "title": row.title,
                "exercised": _places(one for one in exercised if one.failure_class == row.id),
            }
            for row in plan.failure_classes
        ],
        "capabilities": [
            {
                "capability": one.value,
                "has": None if capabilities is None else one.value in capabilities,
                "runs": sum(bool(NEEDED_BY[one] & found.words) for found in exercised),
            }
            for one in Capability
        ],
        "checks": [
            {"check": name, "runs": sum(name in found.words for found in exercised)} for name in sorted(CHECK_KINDS)
        ],
    }


def exercised_by(bundle: Path, summary: RunSummary, failure_class: str | None) -> Exercised | None:
    """What one run exercised, by its scenario, its checks that passed and what its log showed; None when unreadable.

    ``failure_class`` is what the plan takes the run for; without one it is what the scenario says it is.
    """
    try:
        scenario = read_yaml(bundle, SCENARIO)
        timeline = read_timeline_data(read_json(bundle, TIMELINE_DATA))
    except (BundleDamaged, ValueError):
        return None
    name = failure_class or str(scenario.get("failure_class") or "")
    releases = {name: str(given.get("release")) for name, given in _mappings(scenario, "appliances")}
    asked = {
        (appliance, face)
        for appliance, faces in timeline.faces
        for face in faces
        if face in RELEASE_FACES.get(releases.get(appliance, ""), ())
    }
    passed = {line.check for line in summary.checks if line.outcome is Outcome.PASSED}
    felt = timeline.injected if EFFECT_CHECK in passed else ()
    polled = _polled(scenario)
    return Exercised(
        failure_class=name,
        asked=frozenset((releases[appliance], face) for appliance, face in asked),
        cells=frozenset(
            Cell(kind, releases[appliance], face, name)
            for kind, on in felt
            for appliance, face in asked
            if appliance in polled.get(on, {on}) and _can_be_felt(kind, face)
        ),
        words=frozenset({*passed, *_done(scenario), *(face for _, face in asked)}),
    )


def _can_be_felt(kind: str, face: str) -> bool:
    faces = faces_of_fault(kind)
    return kind in ALL_FAULT_KINDS and (faces is None or face in faces)


def faces_of_fault(kind: str) -> tuple[str, ...] | None:
    """The faces a fault kind can act on; None for every face, as for what acts on the front of them all."""
    known = ALL_FAULT_KINDS.get(kind)
    if known is None:
        return None
    faces = {face for face, occasions in _OCCASIONS.items() if occasions & known.acts_on}
    if known.faces is not None and known.faces - {"front"}:
        faces &= known.faces
    return None if faces == _OCCASIONS.keys() else tuple(sorted(faces))


def _classes(plan: Plan, results: Mapping[str, EvidenceResult]) -> dict[str, str]:
    """The failure class of each run the plan takes for evidence of one."""
    return {
        run.run: row.id
        for row in plan.failure_classes
        for name in row.evidence
        if name in results
        for run in results[name].runs
    }


def _polled(scenario: Mapping[str, Any]) -> dict[str, set[str]]:
    """The appliances each system polls: a fault on a system is felt on the way to them."""
    polled: dict[str, set[str]] = {name: set() for name, _ in _mappings(scenario, "systems")}
    for _, given in _mappings(scenario, "connections"):
        polled.setdefault(str(given.get("system")), set()).add(str(given.get("appliance")))
    return polled


def _done(scenario: Mapping[str, Any]) -> Iterable[str]:
    """The actions of its timeline."""
    timeline = scenario.get("timeline")
    entries = timeline if isinstance(timeline, list) else []
    return (str(entry["do"]) for entry in entries if isinstance(entry, Mapping) and "do" in entry)


def _mappings(scenario: Mapping[str, Any], key: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    found = scenario.get(key)
    items = found.items() if isinstance(found, Mapping) else ()
    return ((str(name), given) for name, given in items if isinstance(given, Mapping))


def _releases(exercised: Sequence[Exercised]) -> list[Json]:
    counts = Counter(pair for one in exercised for pair in one.asked)
    return [
        {"release": name, "faces": {face: counts[name, face] for face in faces}}
        for name, faces in RELEASE_FACES.items()
    ]


def _faults(exercised: Sequence[Exercised]) -> list[Json]:
    counts = Counter(cell for one in exercised for cell in one.cells)
    found: dict[str, list[Json]] = {name: [] for name in sorted(ALL_FAULT_KINDS)}
    for cell, runs in sorted(counts.items(), key=lambda item: _key(item[0])):
        place: dict[str, Json] = {"release": cell.release, "face": cell.face}
        found[cell.fault].append({**place, "failure_class": cell.failure_class or None, "runs": runs})
    return [
        {
            "fault": name,
            "doc": kind.doc,
            "faces": _listed(faces_of_fault(name)),
            "exercised": found[name],
        }
        for name, kind in sorted(ALL_FAULT_KINDS.items())
    ]


def _places(exercised: Iterable[Exercised]) -> list[Json]:
    counts = Counter(pair for one in exercised for pair in one.asked)
    return [{"release": release, "face": face, "runs": runs} for (release, face), runs in sorted(counts.items())]


def _listed(faces: tuple[str, ...] | None) -> list[Json] | None:
    return None if faces is None else list(faces)


def _key(cell: Cell) -> tuple[str, ...]:
    return cell.fault, cell.release, cell.face, cell.failure_class
