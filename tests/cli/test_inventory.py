"""What changed since the last verdict is told where it is evidence of nothing; the code that decides has one digest."""

import json
from pathlib import Path

import pytest

from pulse_sim.cli.code_digest import code_digest
from tests.cli.killing import decided, tiny_plan
from tests.run.rehearsal import scenario

pytestmark = pytest.mark.system


def test_what_changed_since_the_last_verdict_of_the_plan_is_told_beside_the_evidence(tmp_path: Path) -> None:
    plan, out = tiny_plan(tmp_path), tmp_path / "out"
    first = Path(decided(plan, out).rows[0]["bundle"])
    assert json.loads((first / "environment.json").read_bytes())["changed_since"] is None
    (tmp_path / "two.yaml").write_text(scenario(id="two", duration="3m"), "utf-8")
    second = Path(decided(plan, out).rows[0]["bundle"])
    since = json.loads((second / "environment.json").read_bytes())["changed_since"]
    assert (since["bundle"], [one["what"] for one in since["changes"]]) == (first.name, ["scenario two, seed 1"])
    inventory = json.loads((second / "inventory.json").read_bytes())
    assert inventory["system"]["version"].startswith("reference ")
    assert inventory["appliances"]["releases"] == ["24.10"]
    assert len(inventory["scenarios"]) == 4


def test_the_digest_of_the_code_knows_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "some_stack.py"
    module.write_text("VERSION = 1\n", "utf-8")
    before = code_digest(["some_stack"])
    assert code_digest(["some_stack"]) == before != code_digest([])
    module.write_text("VERSION = 2\n", "utf-8")
    assert code_digest(["some_stack"]) != before
