"""Plans load strictly, without anything that happens, and a plan that proves nothing does not load."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pulse_sim.scenario.plan import load_plan, missing_scenarios, scenario_evidence, scenario_file
from pulse_sim.verdict.shape import Plan as PlanShape
from tests.scenario.files import plan, plan_problems

ROOT = Path(__file__).parents[2]
PLANS = sorted(path for path in (ROOT / "scenarios" / "plans").glob("*.yaml") if "attest" not in path.name)
CONDITION = "owner: operations, risk: R-1, severity: sev-3, target: 2026-03-31, rollback: disable"
PLAN = """\
version: 1
id: small-plan
title: A small plan
leaves_out:
  - {packet: P-0, why: later}
failure_classes:
  - {id: api-timeout, title: API timeout, evidence: [slow]}
packets:
  - id: P-1
    title: One
    depends_on: [P-0]
    evidence:
      - {id: slow, scenario: ../resilience/slow.yaml, seeds: [1, 2], matrix: {tls: true}}
      - {id: suite, command: [pytest, -q, tests], timeout: 5m}
    gates:
      - {id: G-1, title: It holds, priority: P0, evidence: [slow, suite]}
      - {id: G-2, title: It is signed, priority: P1, attest: sign_off, CONDITION}
  - id: P-2
    title: Two
    depends_on: [P-1]
    blocked: {why: not built, unblocked_by: building it}
waivers:
  - {gate: G-2, owner: product, reason: agreed by word, expires: 2026-02-28}
""".replace("CONDITION", CONDITION)


def test_a_plan_is_what_the_fold_asks_for() -> None:
    loaded = plan(PLAN)
    shape: PlanShape = loaded
    assert [packet.id for packet in shape.packets] == ["P-1", "P-2"]
    assert [packet.blockade.unblocked_by for packet in shape.packets if packet.blockade] == ["building it"]
    assert shape.packets[0].gates[1].attest == "sign_off"
    assert shape.waivers[0].expires == date(2026, 2, 28)
    assert shape.p1_blocks is False


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version: 1", "version: 1\npackts: []", "2:1: packts: unknown key 'packts' (did you mean packets?)"),
        ("depends_on: [P-0]", "depends_on: [P-9]", "11:18: packets[0].depends_on[0]: unknown packet 'P-9'; list"),
        ("depends_on: [P-0]", "depends_on: [P-2]", "11:17: packets[0].depends_on: packet 'P-1' depends on itself"),
        ("packet: P-0", "packet: P-2", "5:14: leaves_out[0].packet: packet 'P-2' is part of this plan"),
        ("id: P-2", "id: P-1", "18:9: packets[1].id: duplicate packet id 'P-1'"),
        ("id: suite", "id: slow", "14:14: packets[0].evidence[1].id: duplicate evidence id 'slow'"),
        ("id: G-2", "id: G-1", "17:14: packets[0].gates[1].id: duplicate gate id 'G-1'"),
        ("evidence: [slow, suite]", "evidence: [slow, siute]", "16:67: packets[0].gates[0].evidence[1]: unknown"),
        ("evidence: [slow, suite]", "evidence: [slow]", "14:14: packets[0].evidence[1].id: no gate judges evidence"),
        ("evidence: [slow, suite]", "evidence: []", "16:60: packets[0].gates[0].evidence: must not be empty"),
        ("evidence: [slow, suite]", "attest: a, open: b", "one of evidence, open and attest; this one has open and"),
        (", evidence: [slow, suite]", "", "16:9: packets[0].gates[0]: a gate has exactly one of"),
        ("evidence: [slow]}", "evidence: [fast]}", "7:54: failure_classes[0].evidence[0]: unknown evidence 'fast'"),
        (", risk: R-1", "", "packets[0].gates[1].risk: missing key 'risk'; an open P1 gate becomes a condition"),
        ("sev-3", "sev-5", "packets[0].gates[1].severity: 'sev-5' is not one of"),
        ("2026-03-31", "soon", "packets[0].gates[1].target: must be a date like 2026-03-31, not 'soon'"),
        ("priority: P0", "priority: P3", "16:46: packets[0].gates[0].priority: 'P3' is not one of"),
        ("gate: G-2", "gate: G-1", "23:12: waivers[0].gate: gate 'G-1' blocks and cannot be waived"),
        ("gate: G-2", "gate: G-3", "23:12: waivers[0].gate: unknown gate 'G-3'; known: G-1, G-2 (did you mean G-"),
        ("id: small-plan", "id: small-plan\np1_blocks: true", "waivers[0].gate: gate 'G-2' blocks"),
        ("{why: not built, unblocked_by: building it}", "null", "18:5: packets[1].gates: a packet without gates"),
        ("[pytest, -q, tests]", "[bash, -c, x]", "14:30: packets[0].evidence[1].command: 'bash' is not a program"),
        ("[pytest, -q, tests]", "pytest -q", "packets[0].evidence[1].command: must be a list, not 'pytest -q'"),
        ("[pytest, -q, tests]", "[]", "packets[0].evidence[1].command: must not be empty"),
        ("[pytest, -q, tests]", "[pulse-sim, run, --sut=x:y]", "only the command line may name a system under test"),
        ("../resilience/slow.yaml", "/etc/passwd.yaml", "13:30: packets[0].evidence[0].scenario: a scenario is"),
        ("../resilience/slow.yaml", "../../x.yaml", "at most one leading ../"),
        ("../resilience/slow.yaml", "a/../../x.yaml", "at most one leading ../"),
        ("../resilience/slow.yaml", "../x.txt", "a scenario file ends in .yaml"),
        ("seeds: [1, 2]", "seeds: [1, 1]", "packets[0].evidence[0].seeds: the same value twice"),
        ("seeds: [1, 2]", "seeds: [-1]", "packets[0].evidence[0].seeds[0]: "),
        ("scenario: ../resilience/slow.yaml", "scenaro: x.yaml", "13:9: packets[0].evidence[0]: evidence is a mapping"),
        ("waivers:", "drift: [{id: D, title: t, class: DEFERRED}]\nwaivers:", "drift[0].reason: missing key 'reason'"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_together_is_refused_with_the_place(old: str, new: str, told: str) -> None:
    assert old in PLAN
    assert told in "\n".join(plan_problems(PLAN.replace(old, new, 1)))


def test_all_problems_of_a_plan_come_in_one_go_sorted_by_place() -> None:
    wrong = PLAN.replace("P-0]", "P-9]").replace("priority: P0", "priority: P9").replace("gate: G-2", "gate: G-7")
    assert [line.split(": ")[0] for line in plan_problems(wrong)] == ["p.yaml:11:18", "p.yaml:16:46", "p.yaml:23:12"]


def test_an_open_gate_of_any_priority_loads_with_its_reason() -> None:
    gate_3 = f"      - {{id: G-3, title: t, priority: P1, open: no mock yet, {CONDITION}}}\n"
    text = PLAN.replace("      - {id: G-2", gate_3 + "      - {id: G-2")
    gate = plan(text).packets[0].gates[1]
    assert (gate.open, gate.evidence, gate.attest) == ("no mock yet", (), None)


def test_a_missing_scenario_file_is_named_and_is_no_mistake_of_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "plans" / "p.yaml"
    file.parent.mkdir()
    file.write_text(PLAN)
    loaded = load_plan(file)
    assert missing_scenarios(loaded, file) == {"slow": tmp_path / "plans" / ".." / "resilience" / "slow.yaml"}
    (tmp_path / "resilience").mkdir()
    (tmp_path / "resilience" / "slow.yaml").write_text("version: 1\n")
    assert missing_scenarios(loaded, file) == {}
    item = next(scenario_evidence(loaded))
    assert (item.seeds, item.matrix) == ((1, 2), {"tls": True})
    assert scenario_file(file, item).samefile(tmp_path / "resilience" / "slow.yaml")


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_plan_of_the_catalogue_loads_and_its_scenarios_are_there(path: Path) -> None:
    assert missing_scenarios(load_plan(path), path) == {}


def test_a_plan_loads_where_nothing_that_happens_can_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(PLAN)
    program = (
        "import sys\n"
        "for name in ('mock_truenas', 'pulse_sim.world', 'pulse_sim.stack', 'pulse_sim.run', 'pulse_sim.kernel',"
        " 'pulse_sim.sut', 'pulse_sim.checks'):\n"
        "    sys.modules[name] = None\n"
        "from pulse_sim.scenario.plan import load_plan\n"
        "print(load_plan(sys.argv[1]).id)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("small-plan\n", "")
