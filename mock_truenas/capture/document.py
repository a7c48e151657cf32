"""The file a capture is kept in: read with suspicion, written whole or not at all. Knows no appliance."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mock_truenas.appliance.releases import RELEASES, Release
from mock_truenas.appliance.versions import Version, read_version
from mock_truenas.complaints import BadInput

FORMAT: Final = "mock-truenas capture"
VERSION: Final = 1
LARGEST: Final = 512 << 20
DEEPEST: Final = 64
_LARGEST_NUMBER: Final = 2**63


@dataclass(frozen=True)
class Capture:
    """``answers`` by method as the appliance of that release gave them at ``at_ms``; None where it would not."""

    release: str
    version: str
    at_ms: int
    answers: Mapping[str, Any]

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values."""
        head = {"format": FORMAT, "version": VERSION, "release": self.release, "appliance_version": self.version}
        return {**head, "at_ms": self.at_ms, "answers": dict(self.answers)}

    def text(self) -> str:
        """The file's text."""
        return json.dumps(self.to_data(), indent=1, ensure_ascii=False) + "\n"


def release_like(version: str) -> Release:
    """The release that can be served and is most like a version: of its line, the newest not after it.

    Raises BadInput when none of that line is served.
    """
    number = version.removeprefix("TrueNAS-SCALE-").removeprefix("TrueNAS-")
    try:
        wanted = read_version(number)
    except ValueError as error:
        raise BadInput("version", version, "is not a version of TrueNAS SCALE", RELEASES) from error
    of_line = [release for release in RELEASES.values() if read_version(release.number).line == wanted.line]
    if not of_line:
        raise BadInput("version", version, f"no release of that line is served; available: {', '.join(RELEASES)}")
    earlier = [release for release in of_line if _plain(release) <= wanted]
    return max(earlier, key=_plain) if earlier else min(of_line, key=_plain)


def _plain(release: Release) -> Version:
    return read_version(release.number)


def read_capture(path: Path) -> Capture:
    """A capture from a file. Raises BadInput, one line, for anything else."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput("capture", path, f"is larger than {LARGEST >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput("capture", path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput("capture", path, "is not UTF-8") from error
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
        check_values(data)
    except RecursionError as error:
        raise BadInput("capture", path, f"is nested deeper than {DEEPEST} levels") from error
    except ValueError as error:
        raise BadInput("capture", path, f"is not JSON that can be used: {error}") from error
    try:
        return capture_of(data)
    except BadInput as error:
        raise BadInput("capture", path, str(error), error.allowed) from error


def capture_of(data: Any) -> Capture:
    """A capture from plain JSON. Raises BadInput."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput("format", "is missing", f"this is no capture; `mock-truenas capture` writes one ({FORMAT!r})")
    if data.get("version") != VERSION:
        raise BadInput("version", data.get("version"), f"only version {VERSION} can be read")
    release, at_ms, answers = data.get("release"), data.get("at_ms"), data.get("answers")
    if not isinstance(release, str) or release not in RELEASES:
        raise BadInput("release", release, f"is not served; available: {', '.join(RELEASES)}", RELEASES)
    if not isinstance(at_ms, int) or isinstance(at_ms, bool):
        raise BadInput("at_ms", at_ms, "is not an instant in milliseconds")
    if not isinstance(answers, dict):
        raise BadInput("answers", answers, "is not an object of answers by method")
    return Capture(release, str(data.get("appliance_version", "")), at_ms, answers)


def check_values(value: Any, depth: int = 0) -> None:
    """Raises RecursionError for what is too deep, ValueError for numbers and text nothing could show."""
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        for key, part in value.items():
            check_values(key, depth + 1)
            check_values(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            check_values(part, depth + 1)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, float) and not abs(value) < float("inf"):
        raise ValueError("a number is not finite")
    elif isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise ValueError("a number is larger than 2^63")


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Any]:
    """A text file that takes the place of ``path`` once everything is in it; only this user can read it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
