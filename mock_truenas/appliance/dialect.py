"""What one version of the API has: features, methods, keys and values, read from ``releases/differences.toml``.

The table says from which version on, and up to which (not included), a thing is there. Nothing else asks for versions.
"""

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any

from mock_truenas.appliance.versions import Version, read_version


@dataclass(frozen=True)
class Span:
    """Versions from ``since`` on, up to but without ``until``; ``value`` is what holds there."""

    since: Version | None
    until: Version | None
    value: Any = None

    def covers(self, version: Version) -> bool:
        """Whether a version lies in it. A line's candidates count as that line: 26.0.0-BETA.3 is in since = "26.0"."""
        plain = Version(version.text, version.parts)
        return (self.since is None or plain >= self.since) and (self.until is None or plain < self.until)


@dataclass(frozen=True)
class Differences:
    """The table: spans by name, of each section."""

    features: Mapping[str, tuple[Span, ...]]
    methods: Mapping[str, tuple[Span, ...]]
    values: Mapping[str, tuple[Span, ...]]
    keys: Mapping[str, Mapping[str, tuple[Span, ...]]]


@dataclass(frozen=True)
class Dialect:
    """The API as one version speaks it."""

    version: Version
    _served: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def has(self, feature: str) -> bool:
        """Whether a feature of the table exists. Raises KeyError for a name the table does not know."""
        return any(span.covers(self.version) for span in differences().features[feature])

    def value(self, name: str) -> Any:
        """A value of the table. Raises KeyError for an unknown name, LookupError when no span covers this version."""
        for span in differences().values[name]:
            if span.covers(self.version):
                return span.value
        raise LookupError(f"{name} has no value in {self.version.text}")

    def serves(self, method: str) -> bool:
        """Whether a method of that name exists; one the table does not mention exists everywhere."""
        known = self._served.get(method)
        if known is None:
            known = self._served[method] = all(
                any(span.covers(self.version) for span in spans)
                for pattern, spans in differences().methods.items()
                if fnmatch.fnmatchcase(method, pattern)
            )
        return known

    def lacks(self, shape: str) -> frozenset[str]:
        """Keys of a shape that this version does not send."""
        return self._lacking.get(shape, frozenset())

    def shaped(self, shape: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the newest shape without the keys this version does not send."""
        lacking = self._lacking.get(shape)
        return {key: value for key, value in row.items() if key not in lacking} if lacking else dict(row)

    @cached_property
    def _lacking(self) -> Mapping[str, frozenset[str]]:
        return {
            shape: frozenset(key for key, spans in keys.items() if not any(span.covers(self.version) for span in spans))
            for shape, keys in differences().keys.items()
        }


@cache
def dialect(version: str) -> Dialect:
    """The dialect of a version, such as ``25.04.1``. Raises ValueError for something else."""
    return Dialect(read_version(version))


@cache
def differences() -> Differences:
    """The table as it is on disk, read once."""
    text = resources.files("mock_truenas").joinpath("releases/differences.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    astray = set(table) - {"features", "methods", "values", "keys"}
    if astray:
        # A row above the first heading would be a difference nobody reads.
        raise ValueError(f"differences.toml: {', '.join(sorted(astray))} stands under no heading")
    return Differences(
        features=_spans(table["features"]),
        methods=_spans(table["methods"]),
        values=_spans(table["values"]),
        keys={shape: _spans(keys) for shape, keys in table["keys"].items()},
    )


def _spans(section: Mapping[str, Any]) -> dict[str, tuple[Span, ...]]:
    return {name: tuple(map(_span, rows if isinstance(rows, list) else [rows])) for name, rows in section.items()}


def _span(row: Mapping[str, Any]) -> Span:
    unknown = set(row) - {"since", "until", "is"}
    if unknown:
        raise ValueError(f"differences.toml: {', '.join(sorted(unknown))} is not one of since, until, is")
    since, until = row.get("since"), row.get("until")
    return Span(read_version(since) if since else None, read_version(until) if until else None, row.get("is"))


def versions_named() -> Iterable[str]:
    """Every version the table names, for tests."""
    table = differences()
    sections = (table.features, table.methods, table.values, *table.keys.values())
    spans = (span for section in sections for spans in section.values() for span in spans)
    return {end.text for span in spans for end in (span.since, span.until) if end is not None}
