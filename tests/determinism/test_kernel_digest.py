"""One seed, one trace digest: in any fresh process, and no other digest for anything that differs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("kernel_run.py")
PROCESSES: list[dict[str, Any]] = [
    {"PYTHONHASHSEED": "0"},
    {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "junk": 10_000},
    {"PYTHONHASHSEED": "4242", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "junk": 123_457, "cwd": "/"},
    {"PYTHONHASHSEED": "random", "TZ": "Asia/Kolkata", "junk": 1_001},
]
CHANGES: dict[str, dict[str, Any]] = {
    "a response byte": {"byte": ","},
    "a header": {"header": "2"},
    "a latency by one microsecond": {"added_latency_ns": 1_000},
    "the payload of an event": {"event": "gone"},
    "the seed": {"seed": 8},
}


def _digest(options: dict[str, Any], process: dict[str, Any] | None = None) -> str:
    """The digest that a fresh process prints for a run."""
    process = dict(process or {"PYTHONHASHSEED": "0"})
    junk, cwd = process.pop("junk", 0), process.pop("cwd", None)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), json.dumps({**options, "junk": junk})],
        env={**os.environ, **process},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["events"] > 500
    digest: str = answer["digest"]
    return digest


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_digest_is_a_function_of_code_and_seed_whatever_the_process(tls: bool) -> None:
    digests = [_digest({"tls": tls}, process) for process in PROCESSES]
    assert len(set(digests)) == 1, digests


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_digest_changes_with_the_smallest_difference(tls: bool) -> None:
    digests = {name: _digest({"tls": tls, **change}) for name, change in {"nothing": {}, **CHANGES}.items()}
    assert len(set(digests.values())) == len(digests), digests
