"""The bundle of a pipeline's gate: what is in it, and what it comes to when it is judged again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pulse_sim
from pulse_sim.canonical import canonical_json, sha256_hex
from pulse_sim.evidence import Manifest, recheck
from pulse_sim.evidence.envelope import Result
from pulse_sim.evidence.gate_bundle import GateBundle
from pulse_sim.outcome import Outcome
from pulse_sim.verdict.ci_gate import CiGate, GateRun, NotRun
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal

SCENARIOS = ["auth-revoked", "flap"]
CATALOGUE: dict[str, Any] = {"scenarios": [{"id": name} for name in SCENARIOS], "seeds": [7]}


def sealed_gate(directory: Path, **story: Any) -> Path:
    """A gate of one run that passed, or not, and of one that did not fit the budget."""
    with GateBundle(directory, 7) as bundle:
        run = sealed_run(bundle.runs_path, **story).summary
        planned = tuple((name, 7) for name in SCENARIOS)
        gate = CiGate(planned, (GateRun(run, "pulse-sim run"),), (NotRun("flap", 7, "no time"),), None, 60.0)
        return bundle.complete(gate, catalogue=CATALOGUE, environment={"argv": ["gate"]})


@pytest.fixture(name="whole", scope="module")
def a_gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_gate(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def gate(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / whole.name))


def test_a_gate_bundle_holds_the_catalogue_the_gate_its_reports_and_its_runs(tmp_path: Path) -> None:
    whole = sealed_gate(tmp_path)
    (run,) = (whole / "runs").iterdir()
    manifest = Manifest.read(whole)
    recorded = json.loads((whole / "gate.json").read_bytes())
    beside = {name for name in manifest.files if not name.startswith("runs/")}
    assert beside == {"catalogue.json", "gate.json", "report.md", "junit.xml", "environment.json"}
    assert manifest.kind == "gate"
    catalogue = canonical_json(CATALOGUE) + b"\n"
    assert (whole / "catalogue.json").read_bytes() == catalogue
    assert (whole / "environment.json").read_bytes() == b'{"argv":["gate"]}\n'
    assert (whole / "gate.json").read_bytes() == canonical_json(recorded) + b"\n"
    assert manifest.inputs == {
        "package_version": pulse_sim.__version__,
        "catalogue_digest": sha256_hex(catalogue),
        "seed": 7,
        "schemas": {"manifest": 1, "gate": 1},
        "outcome_digest": recorded["outcome_digest"],
    }
    assert whole.name == f"gate-7-{recorded['outcome_digest'][:8]}"
    assert recorded["runs"][0]["run"] == run.name
    assert whole.stat().st_mode & 0o777 == 0o755


def test_its_reports_are_of_this_gate(tmp_path: Path) -> None:
    whole = sealed_gate(tmp_path)
    assert "flap seed 7 was not run: no time" in (whole / "report.md").read_text()
    assert b"auth-revoked" in (whole / "junit.xml").read_bytes()


def test_where_runs_and_repetitions_are_sealed_is_below_the_partial_bundle(tmp_path: Path) -> None:
    with GateBundle(tmp_path, 7) as bundle:
        assert bundle.path.parent == tmp_path and bundle.path.name.startswith(".partial-gate-7-")
        assert (bundle.runs_path, bundle.repeats_path) == (bundle.path / "runs", bundle.path / "repeats")
        assert bundle.runs_path.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_without_an_environment_there_is_no_such_file(tmp_path: Path) -> None:
    with GateBundle(tmp_path, 7) as bundle:
        path = bundle.complete(CiGate((), ()), catalogue=CATALOGUE, environment=None)
    assert "environment.json" not in Manifest.read(path).files
    found = recheck(path)
    assert (found.kind, found.outcome, found.runs) == ("gate", Outcome.INCONCLUSIVE, ())


def test_an_untouched_gate_comes_to_the_same(whole: Path) -> None:
    found = recheck(whole)
    assert (found.kind, found.outcome, found.verdict, found.is_intact) == ("gate", Outcome.INCONCLUSIVE, None, True)
    assert found.reasons == ("flap seed 7 was not run: no time",)
    assert (found.path, [run.scenario for run in found.runs]) == (whole.resolve(), ["auth-revoked"])


def changed(gate: Path, change: Callable[[Any], Any], name: str = "gate.json") -> Path:
    data = json.loads((gate / name).read_bytes())
    change(data)
    (gate / name).write_bytes(canonical_json(data) + b"\n")
    reseal(gate, result=Result.WARNED, runs_too=False)
    return gate


def test_a_gate_that_claims_more_than_its_runs_come_to_is_told_apart(gate: Path) -> None:
    found = recheck(changed(gate, lambda data: data.update(outcome="passed", reasons=[])))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert [(one.place, one.recorded, one.recomputed) for one in found.differences] == [
        ("gate.json outcome", "passed", "inconclusive"),
        ("gate.json reasons", "[]", "['flap seed 7 was not run: no time']"),
    ]


def test_of_what_was_recorded_and_what_is_recomputed_the_worse_stands(gate: Path) -> None:
    found = recheck(changed(gate, lambda data: data.update(outcome="errored")))
    assert (found.outcome, found.damages) == (Outcome.ERRORED, ())


def test_another_digest_than_the_manifests_is_damage_said_first(gate: Path) -> None:
    found = recheck(changed(gate, lambda data: data.update(outcome_digest="0" * 64)))
    assert found.damages == ("manifest.json: says another outcome_digest than gate.json",)
    assert found.reasons == (
        "the bundle is damaged: manifest.json: says another outcome_digest than gate.json",
        "flap seed 7 was not run: no time",
    )
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_file_of_a_run_that_is_changed_voids_that_run(gate: Path) -> None:
    (run,) = (gate / "runs").iterdir()
    (run / "checks.json").write_bytes(b"{}\n")
    found = recheck(gate)
    place = f"runs/{run.name}/checks.json"
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.damages[0].startswith(f"{place}: has 3 bytes, the manifest says ")
    assert found.runs[0].outcome is Outcome.INCONCLUSIVE
    assert found.runs[0].reason.startswith(f"its bundle is damaged: {place}")


SHAPE = "gate.json: is not of the shape it should have"
MISSING = "a text is missing in a recorded document"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.pop("runs"), SHAPE),
        (lambda data: data.update(runs=[1]), SHAPE),
        (lambda data: data["runs"][0].pop("run"), MISSING),
        (lambda data: data.pop("outcome"), MISSING),
        (lambda data: data.update(outcome="fine"), "'fine' is not a valid Outcome"),
    ],
)
def test_a_gate_of_another_shape_is_void(gate: Path, change: Callable[[Any], Any], told: str) -> None:
    found = recheck(changed(gate, change))
    assert (found.kind, found.outcome, found.verdict) == ("gate", Outcome.INCONCLUSIVE, None)
    assert (found.damages, found.reasons) == ((told,), (f"the bundle is damaged: {told}",))


def test_a_failed_run_makes_its_gate_failed_again(tmp_path: Path) -> None:
    found = recheck(sealed_gate(tmp_path, fails=(0, 0)))
    assert (found.outcome, found.is_intact) == (Outcome.FAILED, True)
    assert found.reasons[0].startswith("auth-revoked seed 7 failed: poll_errors: ")
