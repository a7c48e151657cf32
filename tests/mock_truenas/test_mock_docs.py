"""What docs/mock-truenas.md tells an integration author is true: every example runs, every option exists."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mock_truenas.appliance import FIXTURES
from mock_truenas.appliance.releases import RELEASES
from mock_truenas.cli import commands, serve
from mock_truenas.cli.recording import capture
from mock_truenas.control.endpoints import ENDPOINTS
from mock_truenas.faults import FAULT_KINDS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mock-truenas.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL))


@pytest.mark.system
def test_pytest_examples_pass_as_they_stand(tmp_path: Path) -> None:
    for number, example in enumerate(text for text in EXAMPLES if text.startswith("# test: pytest")):
        (tmp_path / f"test_example_{number}.py").write_text(example, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, "-p", "no:asyncio", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^1[0-9] passed", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.system
def test_other_examples_run_and_print_what_they_say() -> None:
    (example,) = (text for text in EXAMPLES if not text.startswith("# test: pytest"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, timeout=60, check=True
    )
    said = re.findall(r"print\(.*\)  # (.*)", example)
    assert len(said) == 3
    assert done.stdout.splitlines() == said
    assert done.stderr == ""


def test_options_in_tables_and_commands_exist() -> None:
    known = {option for parameter in serve.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {option for parameter in capture.params for option in parameter.opts}
    named = set(re.findall(r"`(--[a-z-]+)", DOCUMENT))
    assert {"--fixture", "--tls", "--allow-remote", "--fleet"} <= named <= known
    told = {option for parameter in serve.params for option in parameter.opts}
    assert told - named == set()


@pytest.mark.parametrize(
    "line", sorted({line for line in SHELL.splitlines() if re.match(r"mock-truenas (serve|fault|capture)", line)})
)
def test_commands_are_understood(line: str) -> None:
    arguments = [part for part in shlex.split(line.partition(" > ")[0])[1:] if part != "--all"]
    name, *rest = arguments
    command = commands.commands[name]
    if name == "fault":
        command, rest = command.commands[rest[0]], rest[1:]  # type: ignore[attr-defined]
    assert command.name is not None
    try:
        command.make_context(command.name, rest, resilient_parsing=False)
    except click.ClickException as error:
        # Files and appliances of an example are not there; an option that is not would be said.
        assert "No such option" not in str(error), error


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`?(mock-truenas (?:faults|methods|releases))\b", DOCUMENT)))
)
def test_named_command_runs(command: str) -> None:
    assert CliRunner().invoke(commands, shlex.split(command)[1:]).exit_code == 0
    assert CliRunner().invoke(commands, [*shlex.split(command)[1:], "--json"]).exit_code == 0


def test_kinds_fixtures_and_releases_that_are_named_exist() -> None:
    assert set(re.findall(r'inject\("([a-z._]+)"', DOCUMENT)) <= set(FAULT_KINDS)
    row = next(line for line in DOCUMENT.splitlines() if line.startswith("| `fixture` |"))
    assert set(re.findall(r"`([a-z-]+)`", row)) - {"fixture"} == set(FIXTURES)
    assert set(re.findall(r'"(2[456]\.[0-9]+)"', DOCUMENT)) <= set(RELEASES)


def test_paths_of_the_control_api_that_are_named_exist() -> None:
    shapes = [re.compile(re.sub(r"{[a-z]+}", "[^/]+", endpoint.path)) for endpoint in ENDPOINTS]
    for path in re.findall(r"8081(/v1/[a-z0-9/-]+)", SHELL):
        assert any(shape.fullmatch(path) for shape in shapes), path
