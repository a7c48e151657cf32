"""A bundle judged again: the same while it is whole, worse when it is not, never better."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence import Manifest, NotABundle, recheck
from pulse_sim.evidence.hostile import BundleDamaged, require_plain_path
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Attestation, EvidenceResult, RunSummary, Statement, Verdict
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal
from tests.evidence.rollout import OPEN_GATE, PLAN, TODAY, sealed_verdict

ROOT = Path(__file__).resolve().parents[2]
RUN = "auth-revoked-tls=true-7-abababab"
ATTEST_GATE = """\
      - {id: signed, title: Signed off, priority: P1, attest: sign-off, owner: operations, risk: R-2,
         severity: sev-3, target: 2026-06-01, rollback: "Switch it off"}
"""


@pytest.fixture(scope="module")
def run_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_run(tmp_path_factory.mktemp("run"), environment={"argv": []}).path


@pytest.fixture(scope="module")
def verdict_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict"), environment={"argv": []}).path


def files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def delete(file: Path) -> None:
    file.unlink()


def replace_by_link(file: Path) -> None:
    moved = file.with_name("moved")
    file.rename(moved)
    file.symlink_to(moved)


DAMAGES: list[Callable[[Path], None]] = [flip, truncate, empty, delete, replace_by_link]


def test_an_untouched_run_comes_to_the_same_elsewhere(run_bundle: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / run_bundle.name
    shutil.copytree(run_bundle, elsewhere)
    again = recheck(elsewhere)
    assert (again.kind, again.outcome, again.is_intact) == ("run", Outcome.PASSED, True)


def test_an_untouched_verdict_comes_to_the_same_through_latest(verdict_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(verdict_bundle, tmp_path / verdict_bundle.name)
    (tmp_path / "latest").symlink_to(verdict_bundle.name)
    again = recheck(tmp_path / "latest")
    assert (again.kind, again.verdict, again.is_intact) == ("verdict", Verdict.GO, True)
    assert again.reasons == ()


def test_conditions_and_human_inputs_are_recomputed_too(tmp_path: Path) -> None:
    attest = Attestation((Statement("sign-off", True, "the owner", TODAY),))
    plan = PLAN + OPEN_GATE + ATTEST_GATE
    sealed = sealed_verdict(tmp_path, plan_yaml=plan, attest=attest, capabilities=frozenset({"metrics"}))
    again = recheck(sealed.path)
    assert (again.verdict, again.is_intact) == (Verdict.GO_WITH_CONDITIONS, True)
    assert again.folded is not None
    assert [condition.gate for condition in again.folded.conditions] == ["rpc"]


def test_a_failed_run_is_failed_again_with_its_reason(tmp_path: Path) -> None:
    again = recheck(sealed_run(tmp_path, fails=(5, 5)).path)
    assert again.outcome is Outcome.FAILED
    assert "poll_errors" in again.reasons[0]


def test_it_needs_neither_mock_nor_stack_nor_world(verdict_bundle: Path) -> None:
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        gone = ("stack", "world", "run", "kernel", "sut")
        if name.startswith(("mock_truenas", *("pulse_sim." + one for one in gone))):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from pathlib import Path
from pulse_sim.evidence import recheck
print(recheck(Path({str(verdict_bundle)!r})).verdict)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("GO\n", "")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_of_a_run_is_never_passed(
    run_bundle: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    for index, file in enumerate(files_of(run_bundle)):
        copy = tmp_path / str(index)
        shutil.copytree(run_bundle, copy)
        damage(copy / file.relative_to(run_bundle))
        try:
            again = recheck(copy)
        except NotABundle:
            assert file.name == "manifest.json"
            continue
        assert again.outcome is not Outcome.PASSED, file.name
        assert again.damages and again.reasons


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_of_a_verdict_is_never_go(
    verdict_bundle: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    for index, file in enumerate(files_of(verdict_bundle)):
        copy = tmp_path / str(index)
        shutil.copytree(verdict_bundle, copy)
        damage(copy / file.relative_to(verdict_bundle))
        try:
            again = recheck(copy)
        except NotABundle:
            assert file == verdict_bundle / "manifest.json"
            continue
        assert again.verdict is Verdict.NO_GO, file.name
        assert file.name in again.reasons[0] or "moved" in again.reasons[0]


def test_a_file_nobody_listed_is_damage(run_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run_bundle, copy)
    (copy / "extra.txt").write_text("hello")
    again = recheck(copy)
    assert again.outcome is Outcome.INCONCLUSIVE
    assert again.damages == ("extra.txt: is not in the manifest",)
    assert not again.is_intact


def forged(bundle: Path, copy: Path, name: str, change: Callable[[Any], Any]) -> None:
    """A copy with one JSON file rewritten and every manifest made to agree and signed, as the owner of a key could."""
    shutil.copytree(bundle, copy)
    file = copy / name
    file.write_bytes(canonical_json(change(json.loads(file.read_bytes()))) + b"\n")
    reseal(copy)


@pytest.fixture(scope="module")
def no_go_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sealed = sealed_verdict(tmp_path_factory.mktemp("no-go"), second={"fails": (5, 5)})
    assert sealed.verdict.verdict is Verdict.NO_GO
    return sealed.path


def test_a_forged_verdict_is_recomputed_and_told_apart(no_go_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    forged(no_go_bundle, copy, "verdict.json", lambda data: {**data, "verdict": "GO", "reasons": []})
    again = recheck(copy)
    assert again.verdict is Verdict.NO_GO
    assert any(one.place == "verdict.json verdict" for one in again.differences)
    assert again.damages == () and not again.is_intact


def test_forged_checks_are_recomputed_from_the_log(no_go_bundle: Path, tmp_path: Path) -> None:
    def all_passed(data: Any) -> Any:
        checks = [{**check, "outcome": "passed"} for check in data["checks"]]
        return {**data, "outcome": "passed", "checks": checks}

    copy = tmp_path / "copy"
    forged(no_go_bundle, copy, f"runs/{RUN}/checks.json", all_passed)
    again = recheck(copy)
    assert again.verdict is Verdict.NO_GO
    assert any(one.place.startswith(f"{RUN}/checks.json") for one in again.differences)


@pytest.mark.parametrize("change", ["runs dropped", "kind changed", "item dropped", "unbundled"])
def test_a_forged_list_of_evidence_is_never_go(no_go_bundle: Path, tmp_path: Path, change: str) -> None:
    def edit(data: Any) -> Any:
        evidence = data["packets"][0]["evidence"]
        item = evidence[0]
        if change == "runs dropped":
            item.update(runs=[], outcome="passed", reason="")
        elif change == "kind changed":
            item.update(runs=[], outcome="passed", reason="", kind="command")
        elif change == "unbundled":
            item.update(outcome="passed")
            item["runs"][1].update(bundled=False, outcome="passed")
        else:
            evidence.pop(0)
        return data

    copy = tmp_path / "copy"
    forged(no_go_bundle, copy, "packets.json", edit)
    assert recheck(copy).verdict is Verdict.NO_GO


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/../../b", "a//b", "", ".", "a\\b", "a\0b"])
def test_a_path_out_of_the_bundle_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleDamaged):
        require_plain_path(tmp_path, name)


def test_a_run_that_points_out_of_the_bundle_is_never_go(verdict_bundle: Path, tmp_path: Path) -> None:
    def edit(data: Any) -> Any:
        data["packets"][0]["evidence"][0]["runs"][0]["run"] = "../../outside"
        return data

    copy = tmp_path / "copy"
    forged(verdict_bundle, copy, "packets.json", edit)
    assert recheck(copy).verdict is Verdict.NO_GO


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"version":2}',
        b"[" * 100_000,
        b'{"a":1,"a":2}',
        b'{"version":1,"kind":"run","files":{"a":1}}',
        b'{"files":{},"kind":"other","version":1}',
        b'{"files":[],"kind":"run","version":1}',
        b'{"files":{"a":{"bytes":1,"sha256":2}},"kind":"run","version":1}',
        b'{"files":{"a":{"bytes":"1","sha256":"2"}},"kind":"run","version":1}',
        b'{"files":{"a":{"bytes":-1,"sha256":"2"}},"kind":"run","version":1}',
    ],
)
def test_a_manifest_that_is_none_voids_the_bundle(run_bundle: Path, tmp_path: Path, content: bytes) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run_bundle, copy)
    (copy / "manifest.json").write_bytes(content)
    again = recheck(copy)
    assert again.outcome is Outcome.INCONCLUSIVE
    assert again.damages


@pytest.mark.parametrize(
    "document",
    [
        "a: &a [*a]",
        "checks: " + "[" * 200 + "]" * 200,
        "id: x\nid: y",
        "!!python/object/apply:os.system [true]",
        "\0",
    ],
    ids=["alias", "deep", "twice", "tag", "binary"],
)
def test_hostile_yaml_is_inconclusive_whatever_the_manifest_says(
    run_bundle: Path, tmp_path: Path, document: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run_bundle, copy)
    (copy / "scenario.yaml").write_text(document)
    reseal(copy)
    assert recheck(copy).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("content", ["{}", "[]", "null", "1"])
@pytest.mark.parametrize("name", ["plan.yaml", "verdict.json", "packets.json"])
def test_a_verdict_without_its_documents_is_never_go(
    verdict_bundle: Path, tmp_path: Path, name: str, content: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(verdict_bundle, copy)
    (copy / name).write_text(content)
    reseal(copy)
    assert recheck(copy).verdict is Verdict.NO_GO


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NotABundle):
            recheck(path)


@pytest.mark.parametrize("name", ["seed", "trace_digest", "outcome_digest", "scenario"])
def test_a_manifest_that_claims_other_inputs_voids_the_run(run_bundle: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run_bundle, copy)
    reseal(copy, inputs={name: 99 if name == "seed" else "f" * 64})
    assert recheck(copy).outcome is Outcome.INCONCLUSIVE


def rewritten(bundle: Path, copy: Path, **changes: Any) -> None:
    """A copy of a run whose ``checks.json`` and manifest both claim ``changes``."""
    shutil.copytree(bundle, copy)
    checks = {**json.loads((copy / "checks.json").read_bytes()), **changes}
    (copy / "checks.json").write_bytes(canonical_json(checks) + b"\n")
    reseal(copy, inputs={name: value for name, value in changes.items() if name in Manifest.read(copy).inputs})


def test_of_what_was_recorded_and_what_is_recomputed_the_worse_stands(run_bundle: Path, tmp_path: Path) -> None:
    rewritten(run_bundle, tmp_path / "copy", outcome="failed")
    again = recheck(tmp_path / "copy")
    assert again.outcome is Outcome.FAILED
    assert "says failed, the log now says passed" in again.reasons[0]


def test_another_seed_than_the_logs_is_told_as_a_difference(run_bundle: Path, tmp_path: Path) -> None:
    rewritten(run_bundle, tmp_path / "copy", seed=8)
    again = recheck(tmp_path / "copy")
    assert [(one.recorded, one.recomputed) for one in again.differences] == [("8", "7")]


def test_a_run_that_left_no_bundle_is_what_was_told_of_it(tmp_path: Path) -> None:
    died = RunSummary("auth-revoked-9", "auth-revoked", 9, Outcome.ERRORED, reason="a worker died")
    results = {
        "auth-revoked": EvidenceResult("auth-revoked", "scenario", Outcome.ERRORED, "", (died,)),
    }
    sealed = sealed_verdict(tmp_path, results=results)
    again = recheck(sealed.path)
    assert (again.verdict, again.is_intact) == (Verdict.NO_GO, True)
    assert "a worker died" in again.reasons[0]


def test_trouble_recorded_with_an_item_stays_with_it(tmp_path: Path) -> None:
    whole = sealed_verdict(tmp_path / "whole").verdict.packets[0].evidence[0]
    results = {
        "auth-revoked": replace(whole, outcome=Outcome.INCONCLUSIVE, reason="a third variant has no file"),
    }
    again = recheck(sealed_verdict(tmp_path / "short", results=results).path)
    assert (again.verdict, again.is_intact) == (Verdict.NO_GO, True)
    assert "a third variant has no file" in again.reasons[0]
