"""``pulse-sim verdict`` and ``check``: GO needs every piece, and what was decided can be decided again offline."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pulse_sim.cli import verdict as command
from pulse_sim.cli.exit_status import ExitStatus
from pulse_sim.cli.job import RunJob
from tests.cli.command import ROOT, TRR_04, Finished, pulse_sim

pytestmark = pytest.mark.system

EVIDENCE = {
    "resilience/api-timeout.yaml": "TRR-04.P0-1",
    "resilience/auth-revoked-mid-session.yaml": "TRR-04.P0-2",
    "resilience/stale-and-recovery.yaml": "TRR-04.P0-3",
    "resilience/connection-flap.yaml": "TRR-04.P0-4",
    "resilience/config-change-during-poll.yaml": "TRR-04.P0-5",
    "soak/phase1-48h.yaml": "TRR-04.P0-6",
    "soak/endurance-48h.yaml": "TRR-04.P0-7",
}
VARIANTS = {
    "resilience/api-timeout-json-rpc.yaml": "TRR-04.P1-1",
    "resilience/auth-revoked-mid-session-json-rpc.yaml": "TRR-04.P1-1",
    "resilience/stale-and-recovery-json-rpc.yaml": "TRR-04.P1-1",
    "resilience/connection-flap-json-rpc.yaml": "TRR-04.P1-1",
    "resilience/config-change-during-poll-json-rpc.yaml": "TRR-04.P1-1",
    "resilience/many-appliances.yaml": "TRR-04.P1-2",
    "resilience/pairs-of-classes.yaml": "TRR-04.P1-3",
    "resilience/pairs-of-classes-json-rpc.yaml": "TRR-04.P1-3",
}
UNIMPORTABLE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        rooms = ("stack", "world", "run", "kernel", "sut")
        roots = ("mock_truenas", *(f"pulse_sim.{room}" for room in rooms))
        if any(name == root or name.startswith(root + ".") for root in roots):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The verdict on the packet that is decided fastest, once."""
    return pulse_sim("verdict", TRR_04, "--json", "--out", tmp_path_factory.mktemp("reports"))


def bundle_of(done: Finished) -> Path:
    return Path(done.rows[0]["bundle"])


def test_the_plan_of_one_packet_is_go_without_conditions(decided: Finished) -> None:
    (row,) = decided.rows
    assert (decided.status, row["plan"], row["verdict"]) == (ExitStatus.OK, "trr-04", "GO")
    assert row["conditions"] == []


def test_latest_points_at_the_newest_verdict(decided: Finished) -> None:
    bundle = bundle_of(decided)
    assert (bundle.parent / "latest").resolve() == bundle.resolve()


def test_check_decides_the_same_without_mock_stack_world_run_and_kernel(decided: Finished) -> None:
    done = pulse_sim("check", bundle_of(decided), "--json", before=UNIMPORTABLE)
    (row,) = done.rows
    assert (done.status, row["verdict"], row["intact"]) == (ExitStatus.OK, "GO", True), done.err


def test_the_rest_really_is_unimportable_there(decided: Finished) -> None:
    done = pulse_sim("run", TRR_04, before=UNIMPORTABLE)
    assert "is not here" in done.err
    assert decided.status == ExitStatus.OK


def test_a_single_changed_byte_of_one_log_is_no_go(decided: Finished, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle_of(decided), tmp_path / "copy")
    log = next(copy.glob("runs/api-timeout-tls*/journal.jsonl"))
    log.write_bytes(log.read_bytes().replace(b'"status":200', b'"status":201', 1))
    done = pulse_sim("check", copy, "--json")
    (row,) = done.rows
    assert (done.status, row["verdict"], row["intact"]) == (ExitStatus.FAILED, "NO_GO", False)


def test_what_the_narrow_plan_certifies_is_part_of_the_whole_one() -> None:
    from pulse_sim.scenario.plan import load_plan

    narrow, whole = load_plan(TRR_04), load_plan(TRR_04.with_name("truenas-rollout.yaml"))
    (packet,) = (packet for packet in whole.packets if packet.id == "TRR-04")
    (one,) = narrow.packets
    assert set(one.gates) <= set(packet.gates)
    assert {item.id for item in one.evidence} <= {item.id for item in packet.evidence}
    assert {packet.id for packet in whole.packets} == {"TRR-04", *(item.packet for item in narrow.leaves_out)}


@pytest.fixture
def replayed(decided: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are taken from the verdict above instead of being run again; everything else is the real command."""
    runs = bundle_of(decided) / "runs"

    def run_all(jobs: Sequence[RunJob], workers: int, *, quiet: bool, on_row: object) -> list[dict[str, Any]]:
        del workers, quiet, on_row
        rows = []
        for job in jobs:
            for source in runs.iterdir():
                told = json.loads((source / "checks.json").read_bytes())
                if (told["scenario"], told["seed"]) == (job.scenario.id, job.seed):
                    bundle = shutil.copytree(source, job.directory / source.name)
                    rows.append({"bundle": str(bundle), "capabilities": [], "reason": ""})
        return rows

    monkeypatch.setattr(command, "run_all", run_all)


def decide(plan: Path, out: Path) -> dict[str, Any]:
    result = CliRunner().invoke(command.verdict, [str(plan), "--json", "--out", str(out)])
    row: dict[str, Any] = json.loads(result.stdout)
    return {**row, "status": result.exit_code}


@pytest.mark.usefixtures("replayed")
def test_the_replayed_command_decides_as_the_real_one(decided: Finished, tmp_path: Path) -> None:
    assert decide(TRR_04, tmp_path)["outcome_digest"] == decided.rows[0]["outcome_digest"]


@pytest.mark.usefixtures("replayed")
def test_the_readme_shows_what_the_command_prints(tmp_path: Path) -> None:
    printed = CliRunner().invoke(command.verdict, [str(TRR_04), "--out", str(tmp_path)]).stdout
    (example,) = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    place = 0
    for line in example.splitlines():
        shown = line.partition("…")[0].rstrip().replace("reports/", "")
        found = printed.find(shown if not shown.startswith("bundle: ") else shown.removeprefix("bundle: "), place)
        assert found >= place, (line, printed)
        place = found


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(("scenario", "gate"), EVIDENCE.items())
def test_without_any_one_scenario_file_it_is_no_go_naming_the_gate(tmp_path: Path, scenario: str, gate: str) -> None:
    catalogue = shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    (catalogue / scenario).unlink()
    row = decide(catalogue / "plans" / "trr-04.yaml", tmp_path / "out")
    assert (row["status"], row["verdict"]) == (ExitStatus.FAILED, "NO_GO")
    told = json.loads((Path(row["bundle"]) / "verdict.json").read_bytes())
    assert gate in told["reasons"][0]
    assert scenario in told["reasons"][0]


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(("scenario", "gate"), VARIANTS.items())
def test_without_any_one_variant_it_is_a_condition_with_its_owner_and_rollback(
    tmp_path: Path, scenario: str, gate: str
) -> None:
    catalogue = shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    (catalogue / scenario).unlink()
    row = decide(catalogue / "plans" / "trr-04.yaml", tmp_path / "out")
    assert [condition["gate"] for condition in row["conditions"]] == [gate]
    assert all(condition["owner"] and condition["target"] and condition["rollback"] for condition in row["conditions"])
    assert (row["status"], row["verdict"]) == (ExitStatus.OPEN, "GO_WITH_CONDITIONS")


@pytest.mark.parametrize(
    ("content", "place"), [("version: 1\nid: [", "2:"), ("version: 1\nid: x\ntitle: y\npackts: []\n", "4:1")]
)
def test_a_wrong_plan_ends_with_status_2_and_its_place(tmp_path: Path, content: str, place: str) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(content, "utf-8")
    done = pulse_sim("verdict", file, "--out", tmp_path / "out")
    assert done.status == ExitStatus.USAGE
    assert f"{file}:{place}" in done.err
    assert "Traceback" not in done.err


def test_check_refuses_what_is_no_bundle(tmp_path: Path) -> None:
    done = pulse_sim("check", tmp_path)
    assert done.status == ExitStatus.USAGE
    assert done.err.startswith("error: ")
    assert len(done.err.splitlines()) == 1
