"""What may surround a run without changing it, as dimensions, and their pairwise combinations.

A combination says how a process is started; what runs in it, and whether it comes out the same, is another's business.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.determinism.pairwise import covering_rows, rows_with_every_value

ROOT: Final = Path(__file__).resolve().parents[2]

DIMENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "hash_seed": ("0", "1", "4242", "31337"),
    "heap": ("untouched", "crowded", "holed"),
    "directory": ("checkout", "root"),
    "time_zone": ("UTC", "Chatham"),
    "locale": ("posix", "c-utf8"),
    "worker": ("cold", "warm"),
    "schedule": ("fifo", "random"),
}
TIME_ZONES: Final = {"UTC": "UTC0", "Chatham": "CHAST-12:45CHADT,M9.5.0/2:45,M4.1.0/3:45"}
"""Written as rules, since a name means UTC without a word where no zone database is installed."""
LOCALES: Final = {"posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}, "c-utf8": {"LC_ALL": "C.UTF-8"}}


@dataclass(frozen=True, slots=True)
class Combination:
    """One value of each dimension. ``heap`` is what a process allocates before it imports anything of the project.

    ``schedule`` is part of what is run, not of what is around it: digests are compared within one schedule.
    """

    number: int
    hash_seed: str
    heap: str
    directory: str
    time_zone: str
    locale: str
    worker: Literal["cold", "warm"]
    schedule: Literal["fifo", "random"]

    def environment(self) -> dict[str, str]:
        """All variables of the process; nothing is inherited but the path to programs."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": "/nonexistent",
            "PULSE_SIM_SIGNING_KEY_FILE": str(ROOT / "tests" / "evidence" / "published-test-key.pem"),
            "PYTHONHASHSEED": self.hash_seed,
            "TZ": TIME_ZONES[self.time_zone],
            **LOCALES[self.locale],
        }

    def working_directory(self) -> Path:
        """Where the process is started."""
        return ROOT if self.directory == "checkout" else Path("/")


def _combination(number: int, row: tuple[int, ...]) -> Combination:
    values = [values[index] for values, index in zip(DIMENSIONS.values(), row, strict=True)]
    return Combination(number, *values)  # type: ignore[arg-type]


_ROWS: Final = covering_rows([len(values) for values in DIMENSIONS.values()])
COMBINATIONS: Final = tuple(_combination(number, row) for number, row in enumerate(_ROWS))
"""Every pair of values of every two dimensions is in one of them."""
_FIFO: Final = [row for row in _ROWS if COMBINATIONS[_ROWS.index(row)].schedule == "fifo"]
SAMPLE: Final = tuple(COMBINATIONS[_ROWS.index(row)] for row in rows_with_every_value(_FIFO))
"""A few of one schedule, in which every single value of the surroundings is."""
