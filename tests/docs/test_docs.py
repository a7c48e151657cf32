"""What the documentation shows is what there is: generated pages, commands, examples, links."""

import re
from pathlib import Path

import pytest

from pulse_sim.cli.main import COMMANDS
from pulse_sim.scenario.fault_page import fault_page
from pulse_sim.sut.loading import load_system
from tests.cli.command import ROOT, pulse_sim
from tests.run.rehearsal import SMALL

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:\.venv/bin/)?(pulse-sim|mock-truenas) ([a-z]+)", re.MULTILINE)


def test_the_page_of_fault_kinds_is_the_tables() -> None:
    assert (ROOT / "docs" / "faults.md").read_text("utf-8") == fault_page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()]
    assert not dead


def test_the_readme_names_only_commands_there_are() -> None:
    from mock_truenas.cli import commands as mock

    named = COMMAND.findall((ROOT / "README.md").read_text("utf-8"))
    assert len(named) >= 5
    for program, command in named:
        assert command in (COMMANDS if program == "pulse-sim" else mock.commands), (program, command)


def test_every_system_named_in_the_docs_loads() -> None:
    named = {name for page in PAGES for name in re.findall(r"--sut (tests\.[\w.]+:\w+)", page.read_text("utf-8"))}
    assert named
    for name in named:
        assert callable(load_system(name))


@pytest.mark.system
def test_the_plug_in_of_the_page_on_systems_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "systems-under-test.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.py").write_text(code, "utf-8")
    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    done = pulse_sim("run", "small.yaml", "--sut", "mine:patient", cwd=tmp_path)
    assert done.status == 0, done.err


@pytest.mark.system
def test_the_commands_answer_help() -> None:
    for command in COMMANDS:
        assert "Usage:" in pulse_sim(command, "--help").out
