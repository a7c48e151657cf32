"""A verdict's bundle: what it holds and how it is named."""

import json
from pathlib import Path

import pytest

from pulse_sim.evidence import SecretInEvidence, VerdictBundle
from pulse_sim.verdict import Attestation, Statement, Verdict
from tests.evidence.rollout import OPEN_GATE, PLAN, TODAY, sealed_verdict


def test_a_verdict_bundle_holds_the_plan_the_verdict_and_its_runs(tmp_path: Path) -> None:
    sealed = sealed_verdict(tmp_path)
    assert sealed.verdict.verdict is Verdict.GO
    assert sealed.path.name == f"trr-04-7-{sealed.verdict.outcome_digest[:8]}"
    assert {path.name for path in sealed.path.iterdir()} == {
        "plan.yaml",
        "packets.json",
        "verdict.json",
        "report.md",
        "report.html",
        "junit.xml",
        "commands",
        "manifest.json",
        "attestation.json",
        "runs",
    }
    assert sorted(path.name for path in (sealed.path / "runs").iterdir()) == [
        "auth-revoked-tls=false-7-abababab",
        "auth-revoked-tls=true-7-abababab",
    ]
    manifest = json.loads((sealed.path / "manifest.json").read_bytes())
    assert "runs/auth-revoked-tls=true-7-abababab/observations.jsonl" in manifest["files"]


def test_verdict_json_says_what_was_decided_and_on_what(tmp_path: Path) -> None:
    sealed = sealed_verdict(tmp_path, plan_yaml=PLAN + OPEN_GATE)
    verdict = json.loads((sealed.path / "verdict.json").read_bytes())
    assert verdict["verdict"] == "GO_WITH_CONDITIONS"
    assert [condition["gate"] for condition in verdict["conditions"]] == ["rpc"]
    assert verdict["leaves_out"] == [{"packet": "TRR-03", "why": "The phases are not rehearsed yet."}]
    assert (verdict["decided_at"], verdict["plan"]) == ("2026-02-09", "trr-04")
    packets = json.loads((sealed.path / "packets.json").read_bytes())["packets"]
    assert [gate["closed"] for gate in packets[0]["gates"]] == [True, True, False]
    assert [line["run"] for line in packets[0]["gates"][0]["evidence"]] == [
        "auth-revoked-tls=false-7-abababab",
        "auth-revoked-tls=true-7-abababab",
    ]


def test_the_attest_file_is_kept_with_the_verdict(tmp_path: Path) -> None:
    attest = Attestation((Statement("sign-off", True, "the owner", TODAY),))
    sealed = sealed_verdict(tmp_path, attest=attest)
    assert Attestation.from_data(json.loads((sealed.path / "attest.json").read_bytes())) == attest


def test_the_same_evidence_twice_leaves_the_same_bytes(tmp_path: Path) -> None:
    one, other = sealed_verdict(tmp_path / "a").path, sealed_verdict(tmp_path / "b").path
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files)


def test_a_verdict_left_unsealed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), VerdictBundle(tmp_path, "trr-04", 7):
        raise RuntimeError("the run died")
    assert list(tmp_path.iterdir()) == []


def test_a_secret_in_the_plan_keeps_the_bundle_from_being_written(tmp_path: Path) -> None:
    with pytest.raises(SecretInEvidence, match=r"plan\.yaml"):
        sealed_verdict(tmp_path, plan_yaml=f"# 1-PSIMSECRETabcdef\n{PLAN}")
    assert list(tmp_path.iterdir()) == []
