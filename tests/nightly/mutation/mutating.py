"""Runs mutmut over the rooms that judge, in a copy of the committed tree, and counts what the tests killed.

mutmut and what it needs are installed, pinned and with hashes, beside the project's locked libraries in an environment
below ``.tools``. Only the tests of those rooms are run against a change; whatever they cannot reach counts as survived.
"""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.nightly.interpreters import LOCK
from tests.nightly.measurement import ROOT

ROOMS: Final = ("checks", "verdict", "evidence")
TESTS: Final = ("tests/checks", "tests/verdict", "tests/evidence", "tests/observation")
DIGITS: Final = "7305196284"
"""In an order in which a few of them are no pattern of how changes are numbered."""
LEFT_OUT: Final = ("test_reference.py",)
"""A reference bundle tells that something is different, not that it is wrong; it would kill every change of a word."""
REQUIREMENTS: Final = Path(__file__).with_name("mutmut.txt")
HOME: Final = ROOT / ".tools" / "mutmut"
CONFIGURATION: Final = """
[tool.mutmut]
source_paths = ["pulse_sim"]
only_mutate = {only}
also_copy = {copied}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-x", "--tb=no", {ignored}]
pytest_add_cli_args_test_selection = {tests}
"""


def mutated(
    rooms: Sequence[str] = ROOMS, modules: Sequence[str] = ("*",), *, tenths: int = 10, workers: int = 2
) -> dict[str, Any]:
    """How many changes each room's tests killed. Raises RuntimeError with mutmut's last words when it did not end.

    Of ten changes ``tenths`` are tried, by the last digit of their number, so that every function is met.
    """
    python = _environment()
    with tempfile.TemporaryDirectory(prefix="pulse-sim-mutmut-") as directory:
        tree = Path(directory) / "tree"
        _export(tree)
        _configure(tree, [f"pulse_sim/{room}/{module}.py" for room in rooms for module in modules])
        command = [str(python.with_name("mutmut")), "run", "--max-children", str(workers)]
        command += [f"*{digit}" for digit in DIGITS[:tenths]] if tenths < len(DIGITS) else []
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        told = {room: _counted(tree, room, DIGITS[:tenths]) for room in rooms}
    everything = _together(told.values())
    if done.returncode != 0 or not everything["mutants"] or "not checked" in everything["outcomes"]:
        raise RuntimeError("mutmut did not get through:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-20:]))
    return {"tenths_tried": tenths, **told, "all": everything}


def _counted(tree: Path, room: str, digits: str) -> dict[str, Any]:
    """What became of the changes of one room whose numbers end in ``digits``, as mutmut keeps it beside each file."""
    outcomes: Counter[str] = Counter()
    survivors = []
    for meta in sorted((tree / "mutants" / "pulse_sim" / room).glob("*.meta")):
        for name, status in sorted(json.loads(meta.read_text("utf-8"))["exit_code_by_key"].items()):
            if name[-1] not in digits:
                continue
            outcome = _OUTCOMES.get(status, "suspicious")
            outcomes[outcome] += 1
            if outcome in ("survived", "no tests"):
                survivors.append(name)
    return _figures(outcomes) | {"survivors": survivors}


_OUTCOMES: Final = {
    0: "survived",
    1: "killed",
    3: "killed",
    5: "no tests",
    33: "no tests",
    34: "skipped",
    36: "timeout",
    -24: "timeout",
    None: "not checked",
}


def _together(rooms: Any) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for room in rooms:
        outcomes.update(room["outcomes"])
    return _figures(outcomes)


def _figures(outcomes: Counter[str]) -> dict[str, Any]:
    total = outcomes.total()
    dead = outcomes["killed"] + outcomes["timeout"] + outcomes["suspicious"]
    share = round(dead / total, 4) if total else 0.0
    return {"mutants": total, "killed_share": share, "outcomes": dict(sorted(outcomes.items()))}


def _environment() -> Path:
    """The interpreter that has the locked libraries and mutmut, made on first use."""
    python, ready = HOME / "bin" / "python", HOME / "ready"
    wanted = LOCK.read_text("utf-8") + REQUIREMENTS.read_text("utf-8")
    if ready.is_file() and ready.read_text("utf-8") == wanted:
        return python
    _do([sys.executable, "-m", "venv", "--clear", str(HOME)])
    for file in (LOCK, REQUIREMENTS):
        _do([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"], file)
    ready.write_text(wanted, "utf-8")
    return python


def _do(command: Sequence[str], file: Path | None = None) -> None:
    full = [*command, *(["-r", str(file)] if file else [])]
    done = subprocess.run(full, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(f"{' '.join(full[:5])}: {said[-1]}")


def _export(tree: Path) -> None:
    """The committed files."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(tree, filter="data")


def _configure(tree: Path, only: Sequence[str]) -> None:
    copied = sorted(path.name for path in tree.iterdir() if path.name not in ("pulse_sim", "tests", "pyproject.toml"))
    ignored = [f"--ignore-glob=*{name}" for name in LEFT_OUT]
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            CONFIGURATION.format(
                only=json.dumps(only),
                copied=json.dumps(copied),
                ignored=", ".join(json.dumps(argument) for argument in ignored),
                tests=json.dumps(TESTS),
            )
        )
