"""What docs/mock-truenas.md tells an integration author is true."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mock_truenas.cli import commands, serve

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mock-truenas.md").read_text(encoding="utf-8")


@pytest.mark.system
def test_python_example_runs_and_prints_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, timeout=60, check=True
    )
    said = re.findall(r"print\(.*\)  # (.*)", example)
    assert len(said) == 3
    assert done.stdout.splitlines()[:3] == said
    assert done.stderr == ""


def test_options_of_serve_in_the_table_exist() -> None:
    named = set(re.findall(r"`(--[a-z-]+)", DOCUMENT))
    assert {"--fixture", "--tls", "--allow-remote"} <= named
    assert named - {"--json"} <= {option for parameter in serve.params for option in parameter.opts}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?(mock-truenas (?:faults|methods))`?", DOCUMENT))))
def test_named_command_runs(command: str) -> None:
    assert CliRunner().invoke(commands, shlex.split(command)[1:]).exit_code == 0
    assert CliRunner().invoke(commands, [*shlex.split(command)[1:], "--json"]).exit_code == 0
