"""One observation and the header above it, as the JSON Lines of format version 2."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pulse_sim.canonical import canonical_json
from pulse_sim.observation.strict_json import strict_json

FORMAT: Final = "pulse-sim-observations"
FORMAT_VERSION: Final = 2


class Source(StrEnum):
    """Who saw it."""

    WORLD = "world"
    FAULT = "fault"
    APPLIANCE = "appliance"
    SUT = "sut"
    OPERATOR = "operator"
    SAMPLER = "sampler"


@dataclass(frozen=True, slots=True)
class Record:
    """One observation. ``time_ns`` is virtual nanoseconds since the scenario's start; ``data`` is plain JSON."""

    seq: int
    time_ns: int
    source: Source
    kind: str
    subject: str
    data: dict[str, Any]

    def encode(self) -> bytes:
        """One line of canonical JSON with its newline."""
        return (
            canonical_json(
                {
                    "data": self.data,
                    "kind": self.kind,
                    "seq": self.seq,
                    "source": self.source.value,
                    "subject": self.subject,
                    "t": self.time_ns,
                }
            )
            + b"\n"
        )

    @classmethod
    def decode(cls, line: bytes) -> "Record":
        """Read one line back. Raises ValueError when a field is missing, of the wrong type or unknown."""
        raw = strict_json(line)
        if not isinstance(raw, dict) or raw.keys() != {"data", "kind", "seq", "source", "subject", "t"}:
            raise ValueError("an observation has the keys data, kind, seq, source, subject and t")
        seq, time_ns, data = raw["seq"], raw["t"], raw["data"]
        if type(seq) is not int or type(time_ns) is not int or not 0 <= time_ns < 2**63 or not isinstance(data, dict):
            raise ValueError("seq and t are integers, t is not negative, and data is an object")
        if not isinstance(raw["kind"], str) or not isinstance(raw["subject"], str):
            raise ValueError("kind and subject are strings")
        return cls(seq, time_ns, Source(raw["source"]), raw["kind"], raw["subject"], data)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of ``observations.jsonl``: what was run. ``start`` is RFC 3339 in UTC."""

    scenario: str
    seed: int
    start: str
    world: str
    sut: str
    schedule: str

    def encode(self) -> bytes:
        """The header line with its newline."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return canonical_json({"format": FORMAT, "version": FORMAT_VERSION, **fields}) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Header":
        """Read the header back. Raises ValueError for another format, an unknown version or a wrong field."""
        raw = strict_json(line)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise ValueError(f"the first line is not a {FORMAT} header")
        version = raw.get("version")
        if type(version) is not int or version != FORMAT_VERSION:
            raise ValueError(f"observation log version {version!r} is not {FORMAT_VERSION}, the one known here")
        fields = {name: raw.get(name) for name in cls.__slots__}
        seed = fields.pop("seed")
        if type(seed) is not int or not all(isinstance(value, str) for value in fields.values()):
            raise ValueError("seed is an integer and every other header field a string")
        return cls(seed=seed, **fields)  # type: ignore[arg-type]
