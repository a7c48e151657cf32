"""Field types both document kinds share: identifiers, lines of text, instants, strict models.

Refuses to know any table of faults, checks or actions.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    Tag,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from pulse_sim.units import HOUR, MILLISECOND, SECOND, Duration, format_duration

EARLIEST_YEAR: Final = 2000
LATEST_YEAR: Final = 2098
_INSTANT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
_INSTANT_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"


class StrictModel(BaseModel):
    """A document part: unknown keys refused, nothing converted, never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Spelling:
    """Metadata of a text field: it matches ``pattern`` as a whole; ``words`` says so to a reader."""

    pattern: str
    words: str
    longest: int

    def check(self, value: str) -> str:
        """The value; ValueError when it is spelled otherwise."""
        if len(value) > self.longest:
            raise ValueError(f"longer than {self.longest} characters")
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise ValueError(f"{value[:60]!r} is not an id here; use {self.words}")
        return value

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}


ScenarioId = Annotated[
    str,
    Spelling(r"[a-z0-9]+(-[a-z0-9]+)*(\[[A-Za-z0-9_.:+=,-]*\])?", "lower-case words joined by hyphens", 160),
]
HostId = Annotated[
    str,
    Spelling(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and inner hyphens, as in a host name", 63),
]
Id = Annotated[str, Spelling(r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, hyphens and underscores", 64)]
EntryId = Annotated[str, Spelling(r"[A-Za-z0-9][A-Za-z0-9_.:@#+-]*", "letters, digits and any of _ . : @ # + -", 200)]
ParameterName = Annotated[str, Spelling(r"[a-z][a-z0-9_]*", "lower-case letters, digits and underscores", 40)]
VariableName = Annotated[str, Spelling(r"[A-Z][A-Z0-9_]*", "capital letters, digits and underscores", 100)]

Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
"""A title or a reason: one short text."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
"""A paragraph."""


def _scalar_kind(value: Any) -> str | None:
    return type(value).__name__ if isinstance(value, bool | int | float | str) else None


Scalar = Annotated[
    Annotated[bool, Tag("bool")]
    | Annotated[int, Tag("int")]
    | Annotated[float, Tag("float")]
    | Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+-]{1,40}$"), Tag("str")],
    Discriminator(
        _scalar_kind,
        custom_error_type="scalar",
        custom_error_message="must be text, a number, true or false",
    ),
]
"""A matrix value; as it becomes part of the scenario's id, text is letters, digits and any of _ . : + -."""


def _instant_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    def validate(value: Any) -> datetime:
        match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
        try:
            if match is None:
                raise ValueError
            instant = datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError:
            raise ValueError(f"{value!r} is not an instant; write it in UTC like 2026-02-09T00:00:00Z") from None
        if not EARLIEST_YEAR <= instant.year <= LATEST_YEAR:
            # simulated certificates are valid from 2000 to 2099 (DESIGN R4)
            raise ValueError(f"the year must lie between {EARLIEST_YEAR} and {LATEST_YEAR}")
        return instant

    return core_schema.no_info_plain_validator_function(
        validate,
        json_schema_input_schema=core_schema.str_schema(pattern=_INSTANT_PATTERN),
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda instant: instant.strftime("%Y-%m-%dT%H:%M:%SZ"), return_schema=core_schema.str_schema()
        ),
    )


Instant = Annotated[datetime, GetPydanticSchema(_instant_schema)]
"""A second in UTC, written ``2026-02-09T00:00:00Z``."""


def _between(least: int, most: int, *, step: int = 1) -> AfterValidator:
    def check(value: int) -> int:
        if not least <= value <= most:
            raise ValueError(
                f"{format_duration(value)} is not between {format_duration(least)} and {format_duration(most)}"
            )
        if value % step:
            raise ValueError(f"{format_duration(value)} is not a whole number of seconds")
        return value

    return AfterValidator(check)


PollInterval = Annotated[Duration, _between(SECOND, HOUR, step=SECOND)]
"""1 s to 1 h in whole seconds, as the connection record holds it (pulse-contract A1)."""

RunLength = Annotated[Duration, _between(SECOND, 366 * 24 * HOUR)]
"""How long a run may be."""

WindowLength = Annotated[Duration, _between(1, 366 * 24 * HOUR)]
"""A length that is not zero."""

Latency = Annotated[Duration, _between(0, 60 * SECOND)]
"""One way over a link."""

SampleInterval = Annotated[Duration, _between(SECOND, 24 * HOUR)]
"""Between two samples."""

DEFAULT_LATENCY_NS: Final = MILLISECOND // 2
