"""Commands and the inventory of a verdict's bundle: kept whole, judged again by check, and worse when damaged."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.evidence import recheck
from pulse_sim.verdict import CommandRun, Verdict
from tests.evidence.resealing import reseal
from tests.evidence.rollout import PLAN, SUITE_OUTPUT, SUITE_RUN, sealed_verdict

WITH_INVENTORY = PLAN.replace(
    "    gates:\n",
    "      - {id: inventory, inventory: resolved}\n    gates:\n"
    "      - {id: pinned, title: Everything is pinned, priority: P0, evidence: [inventory]}\n",
)


def inventory_of(bundle: Path) -> dict[str, Any]:
    rows = []
    for run in sorted((bundle / "runs").iterdir()):
        manifest = json.loads((run / "manifest.json").read_bytes())
        rows.append({"scenario": manifest["scenario"], "seed": manifest["seed"], "digest": manifest["scenario_digest"]})
    return {
        "version": 1,
        "plan": {"id": "trr-04", "digest": "12" * 32},
        "system": {"name": "reference", "version": "reference 1.0", "capabilities": []},
        "appliances": {"version": "1.0", "releases": ["24.10"]},
        "scenarios": rows,
        "tools": {"python": "3.11"},
    }


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    """A verdict that is GO with an inventory among its evidence."""
    inventory = inventory_of(sealed_verdict(tmp_path / "first").path)
    sealed = sealed_verdict(tmp_path / "second", plan_yaml=WITH_INVENTORY, inventory=inventory)
    assert (sealed.verdict.verdict, sealed.verdict.reasons) == (Verdict.GO, ())
    return sealed.path


def test_a_command_is_kept_with_its_record_and_whole_output(tmp_path: Path) -> None:
    bundle = sealed_verdict(tmp_path).path
    assert (bundle / "commands" / "tests.txt").read_bytes() == SUITE_OUTPUT
    record = json.loads((bundle / "commands" / "tests.json").read_bytes())
    assert (record["argv"], record["exit_status"], record["duration_s"]) == (["pytest", "tests/stack"], 0, 1.25)


def test_how_long_a_command_took_is_in_no_digest_and_no_document_of_the_verdict(tmp_path: Path) -> None:
    slow = {"tests": (replace(SUITE_RUN, duration_s=99.0), SUITE_OUTPUT)}
    one, other = sealed_verdict(tmp_path / "a").path, sealed_verdict(tmp_path / "b", commands=slow).path
    assert one.name == other.name
    for name in ("verdict.json", "packets.json", "report.md"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize(
    "commands",
    [
        {},
        {"tests": (replace(SUITE_RUN, exit_status=1), SUITE_OUTPUT)},
        {"tests": (replace(SUITE_RUN, timed_out=True, exit_status=None), SUITE_OUTPUT)},
        {"tests": (replace(SUITE_RUN, argv=("pytest", "tests/other")), SUITE_OUTPUT)},
        {"tests": (SUITE_RUN, b"")},
        {"tests": (SUITE_RUN, SUITE_OUTPUT[:10])},
    ],
    ids=["not executed", "failed", "timed out", "another one", "no output", "cut output"],
)
def test_a_command_that_is_no_evidence_is_no_go_now_and_when_checked(
    tmp_path: Path, commands: dict[str, tuple[CommandRun, bytes]]
) -> None:
    sealed = sealed_verdict(tmp_path, commands=commands)
    again = recheck(sealed.path)
    assert (sealed.verdict.verdict, again.verdict, again.is_intact) == (Verdict.NO_GO, Verdict.NO_GO, True)
    assert "tested" in sealed.verdict.reasons[0]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("commands/tests.txt", lambda _: b""),
        ("commands/tests.txt", lambda content: content.replace(b"4 passed", b"0 passed")),
        ("commands/tests.json", lambda content: content.replace(b'"exit_status":0', b'"exit_status":7')),
        ("commands/tests.json", lambda _: b"{}\n"),
        ("inventory.json", lambda _: b"null\n"),
        ("inventory.json", lambda content: content.replace(b'"seed":7', b'"seed":8', 1)),
    ],
)
def test_evidence_that_is_changed_and_sealed_again_is_judged_again(
    pinned: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    (pinned / name).write_bytes(change((pinned / name).read_bytes()))
    reseal(pinned)
    again = recheck(pinned)
    assert (again.verdict, again.is_intact) == (Verdict.NO_GO, False)


@pytest.mark.parametrize("name", ["commands/tests.txt", "commands/tests.json", "inventory.json"])
def test_evidence_that_is_taken_out_is_no_go_even_when_sealed_again(pinned: Path, name: str) -> None:
    (pinned / name).unlink()
    reseal(pinned)
    assert recheck(pinned).verdict is Verdict.NO_GO


def test_an_untouched_one_is_what_it_was(pinned: Path) -> None:
    again = recheck(pinned)
    assert (again.verdict, again.is_intact, again.differences) == (Verdict.GO, True, ())


def test_without_an_inventory_the_gate_that_asks_for_it_is_open(tmp_path: Path) -> None:
    sealed = sealed_verdict(tmp_path, plan_yaml=WITH_INVENTORY)
    assert sealed.verdict.verdict is Verdict.NO_GO
    assert "there is no inventory" in sealed.verdict.reasons[0]
