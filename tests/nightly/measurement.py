"""What every committed measurement says of itself, where it lies, and whether the tree has moved on since.

Knows no figure: what is measured, and what came out, is each issue's own.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FIELDS: Final = ("command", "commit", "date", "machine", "measured")


@dataclass(frozen=True)
class Measurement:
    """One file of ``docs/measurements``.

    ``paths`` are what its figures depend on. ``measure`` gives them, for so many seeds at most where a number is given.
    """

    issue: int
    paths: Sequence[str]
    measure: Callable[[int | None], dict[str, Any]]

    @property
    def file(self) -> Path:
        return ROOT / "docs" / "measurements" / f"issue-{self.issue}.json"

    def committed(self) -> dict[str, Any]:
        """The file as it is. Raises OSError when there is none and ValueError when it is no measurement."""
        told = json.loads(self.file.read_bytes())
        if not isinstance(told, dict) or not set(FIELDS) <= told.keys():
            raise ValueError(f"{self.file.name} lacks one of {', '.join(FIELDS)}")
        return told

    def changed_since(self, commit: str) -> list[str]:
        """Files under ``paths`` that are not what they were at ``commit``."""
        return git("diff", "--name-only", commit, "--", *self.paths).splitlines() + self._untracked()

    def state(self) -> str:
        """A digest of all that is under ``paths`` now."""
        listed = (git("ls-files", "-s", "--", *self.paths), git("diff", "--", *self.paths), *self._untracked())
        return hashlib.sha256("\n".join(listed).encode()).hexdigest()

    def taken(self, command: str, seeds: int | None = None) -> dict[str, Any]:
        """Measure. Raises RuntimeError when what is measured was edited meanwhile: it would be nobody's figures."""
        commit, before = git("rev-parse", "HEAD"), self.state()
        uncommitted = len(self.changed_since(commit))
        started = datetime.now(UTC)
        measured = self.measure(seeds)
        if self.state() != before:
            raise RuntimeError(f"files under {', '.join(self.paths)} changed while they were measured")
        return {
            "command": command,
            "commit": commit,
            "uncommitted_files": uncommitted,
            "date": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "minutes": round((datetime.now(UTC) - started).total_seconds() / 60, 1),
            "machine": {
                "cores": len(os.sched_getaffinity(0)),
                "machine": platform.machine(),
                "python": platform.python_version(),
            },
            "measured": measured,
        }

    def _untracked(self) -> list[str]:
        return git("ls-files", "--others", "--exclude-standard", "--", *self.paths).splitlines()


def git(*arguments: str) -> str:
    """What git says, or nothing."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()
