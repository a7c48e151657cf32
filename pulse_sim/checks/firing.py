"""What a fired abort criterion says. Knows no criterion."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Firing:
    """When a criterion first fired, why, and the records that show it."""

    criterion: str
    time_ns: int
    what: str
    evidence: tuple[int, ...]
