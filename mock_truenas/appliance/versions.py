"""TrueNAS version numbers: read, and put in order. Knows no release."""

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Final

_FORM: Final = re.compile(r"([0-9]{2})\.([0-9]{1,2})((?:\.[0-9]{1,3}){0,2})(?:-(ALPHA|BETA|RC)\.([0-9]{1,2}))?")
_STAGES: Final = {"ALPHA": 0, "BETA": 1, "RC": 2, None: 3}


@total_ordering
@dataclass(frozen=True)
class Version:
    """``25.10.2.1`` or ``26.0.0-BETA.3``; what is missing counts as 0, and a release follows its candidates."""

    text: str
    parts: tuple[int, int, int, int]
    stage: tuple[int, int] = (3, 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: "Version") -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
        return self.parts, self.stage

    @property
    def line(self) -> tuple[int, int]:
        """Year and month of the release line."""
        return self.parts[:2]


def read_version(text: str) -> Version:
    """The version written in ``text``. Raises ValueError for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a version; write it like 25.10.2 or 26.0.0-BETA.3")
    rest = [int(part) for part in match[3].split(".")[1:]]
    third, fourth = (*rest, 0, 0)[:2]
    stage = (_STAGES[match[4]], int(match[5] or 0))
    return Version(text, (int(match[1]), int(match[2]), third, fourth), stage)
