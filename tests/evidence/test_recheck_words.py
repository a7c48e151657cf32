"""What a bundle judged again says, word for word: reasons, damages, and every place that came out otherwise."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence import NotABundle, recheck
from pulse_sim.evidence.recheck import Difference, Recheck
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal
from tests.evidence.rollout import sealed_verdict

RUN = "auth-revoked-tls=true-7-abababab"
OTHER = "auth-revoked-tls=false-7-abababab"
MISSING = "a text is missing in a recorded document"


@pytest.fixture(name="sealed", scope="module")
def a_verdict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict")).path


@pytest.fixture
def verdict(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "copy"))


def changed(bundle: Path, name: str, change: Callable[[Any], Any], **inputs: Any) -> Recheck:
    data = json.loads((bundle / name).read_bytes())
    change(data)
    (bundle / name).write_bytes(canonical_json(data) + b"\n")
    reseal(bundle, inputs=inputs)
    return recheck(bundle)


def voided(found: Recheck, *damages: str) -> None:
    assert (found.kind, found.outcome, found.verdict) == ("verdict", None, Verdict.NO_GO)
    assert found.damages == damages
    assert found.reasons == tuple(f"the bundle is damaged: {damage}" for damage in damages)
    assert (found.differences, found.runs, found.folded) == ((), (), None)


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "gone", "is not a directory"), (tmp_path, "has no manifest.json")):
        with pytest.raises(NotABundle) as told:
            recheck(path)
        assert str(told.value) == f"{path} {why}"


@pytest.mark.parametrize(
    ("beside", "kind", "outcome", "answer"),
    [
        ("scenario.yaml", "run", Outcome.INCONCLUSIVE, None),
        ("runs/", "verdict", None, Verdict.NO_GO),
        ("catalogue.json", "gate", Outcome.INCONCLUSIVE, None),
    ],
)
def test_a_manifest_that_is_none_voids_a_bundle_of_the_kind_it_looks_like(
    tmp_path: Path, beside: str, kind: str, outcome: Outcome | None, answer: Verdict | None
) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{}\n")
    if beside.endswith("/"):
        (tmp_path / beside).mkdir()
    else:
        (tmp_path / beside).touch()
    why = "manifest.json: is not a manifest of version 1"
    assert recheck(tmp_path) == Recheck(
        tmp_path.resolve(), kind, outcome, answer, (f"the bundle is damaged: {why}",), (why,), (), ()
    )


def test_a_failed_run_says_its_checks_worst_first_and_is_whole(tmp_path: Path) -> None:
    path = sealed_run(tmp_path, fails=(5, 5)).path
    found = recheck(path)
    (line,) = [line for line in found.runs[0].checks if line.outcome is not Outcome.PASSED]
    assert found == Recheck(
        path.resolve(),
        "run",
        Outcome.FAILED,
        None,
        (f"check poll_errors: failed: {line.reason or line.observed}",),
        (),
        (),
        found.runs,
    )
    assert (found.runs[0].run, found.runs[0].seed, found.runs[0].trace_digest) == (path.name, 7, "ab" * 32)


def test_a_damaged_run_is_void(tmp_path: Path) -> None:
    path = sealed_run(tmp_path).path
    (path / "extra").touch()
    found = recheck(path)
    assert (found.kind, found.outcome, found.verdict, found.runs) == ("run", Outcome.INCONCLUSIVE, None, ())
    assert found.reasons == ("the bundle is damaged: extra: is not in the manifest",)


def test_where_checks_say_otherwise_the_innermost_place_is_told(tmp_path: Path) -> None:
    path = sealed_run(tmp_path).path

    def forge(data: Any) -> None:
        data["checks"][1]["outcome"] = "failed"
        data["reason"] = "x" * 300
        data["more"] = 1
        data["virtual_seconds"] = 1500.0

    found = changed(path, "checks.json", forge)
    assert found.differences == (
        Difference(f"{path.name}/checks.json checks[1] outcome", "failed", "passed"),
        Difference(f"{path.name}/checks.json more", "1", "None"),
        Difference(f"{path.name}/checks.json reason", "x" * 200, ""),
        Difference(f"{path.name}/checks.json virtual_seconds", "1500.0", "1500"),
    )
    assert not found.is_intact


def test_at_most_twenty_places_are_told(tmp_path: Path) -> None:
    path = sealed_run(tmp_path).path
    found = changed(path, "checks.json", lambda data: data.update({f"more-{number:02}": 1 for number in range(30)}))
    assert [one.place for one in found.differences] == [f"{path.name}/checks.json more-{n:02}" for n in range(20)]


def test_an_untouched_verdict_is_whole_with_its_runs(verdict: Path) -> None:
    found = recheck(verdict)
    assert (found.kind, found.outcome, found.verdict, found.reasons) == ("verdict", None, Verdict.GO, ())
    assert [run.run for run in found.runs] == [OTHER, RUN]
    assert (found.is_intact, found.path, found.folded is not None) == (True, verdict.resolve(), True)


def test_a_verdict_decided_on_another_day_is_told(verdict: Path) -> None:
    found = changed(verdict, "verdict.json", lambda data: data.update(decided_at="2026-02-10"))
    assert found.differences == (Difference("verdict.json decided_at", "2026-02-10", "2026-02-09"),)
    assert found.verdict is Verdict.GO


def test_of_two_verdicts_the_worse_stands(verdict: Path) -> None:
    found = changed(verdict, "verdict.json", lambda data: data.update(verdict="NO_GO"))
    assert (found.verdict, found.differences) == (Verdict.NO_GO, (Difference("verdict.json verdict", "NO_GO", "GO"),))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("verdict.json", lambda data: data.pop("decided_at"), MISSING),
        ("verdict.json", lambda data: data.update(decided_at="soon"), "Invalid isoformat string: 'soon'"),
        ("verdict.json", lambda data: data.pop("verdict"), MISSING),
        ("verdict.json", lambda data: data.update(verdict="MAYBE"), "'MAYBE' is not a valid Verdict"),
        ("verdict.json", lambda data: data.update(capabilities=[1]), MISSING),
        ("verdict.json", lambda data: data.update(capabilities={}), "verdict.json: is not of the shape it should have"),
        ("packets.json", lambda data: data.pop("packets"), "packets.json: is not of the shape it should have"),
        ("packets.json", lambda data: data.update(packets=[1]), "packets.json: is not of the shape it should have"),
        (
            "packets.json",
            lambda data: data["packets"][0].pop("evidence"),
            "packets.json: is not of the shape it should have",
        ),
        ("packets.json", lambda data: data["packets"][0]["evidence"][0].pop("id"), MISSING),
        ("packets.json", lambda data: data["packets"][0]["evidence"][0].pop("reason"), MISSING),
        (
            "packets.json",
            lambda data: data["packets"][0]["evidence"][0].update(outcome="fine"),
            "'fine' is not a valid Outcome",
        ),
    ],
)
def test_a_verdict_whose_documents_are_of_another_shape_is_void(
    verdict: Path, name: str, change: Callable[[Any], Any], told: str
) -> None:
    voided(changed(verdict, name, change), told)


def test_another_plan_than_the_manifests_is_none(verdict: Path) -> None:
    (verdict / "plan.yaml").write_bytes((verdict / "plan.yaml").read_bytes() + b"\n")
    reseal(verdict)
    voided(recheck(verdict), "plan.yaml: is not the plan whose digest manifest.json names")


def test_damage_to_a_run_voids_that_run_and_makes_no_go(verdict: Path) -> None:
    (verdict / "runs" / RUN / "metrics.om").unlink()
    found = recheck(verdict)
    place = f"runs/{RUN}/metrics.om: is missing"
    assert found.verdict is Verdict.NO_GO
    assert found.damages == (place, "metrics.om: is missing")
    assert found.reasons[:2] == tuple(f"the bundle is damaged: {damage}" for damage in found.damages)
    void = next(run for run in found.runs if run.run == RUN)
    assert (void.outcome, void.reason, void.checks) == (Outcome.INCONCLUSIVE, f"its bundle is damaged: {place}", ())
    assert next(run for run in found.runs if run.run == OTHER).outcome is Outcome.PASSED


def test_an_input_the_manifest_tells_otherwise_is_damage_and_no_go(verdict: Path) -> None:
    reseal(verdict, inputs={"outcome_digest": "0" * 64})
    found = recheck(verdict)
    assert (found.verdict, found.damages) == (
        Verdict.NO_GO,
        ("manifest.json: says another outcome_digest than verdict.json",),
    )
    assert found.reasons == (f"the bundle is damaged: {found.damages[0]}",)
