"""What the control API takes: bodies and query strings as strict models. Knows no appliance."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from mock_truenas.durations import Duration
from mock_truenas.journal import Ending, Face, Kind
from mock_truenas.matching import Matching

_DAY_NS: Final = 86_400_000_000_000


def _at_most_30_days(length_ns: int) -> int:
    if length_ns > 30 * _DAY_NS:
        raise ValueError("is longer than 30d")
    return length_ns


Span = Annotated[Duration, AfterValidator(_at_most_30_days)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """Base: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class FaultOrder(Body):
    """A fault to start. Without ``for`` it lasts until it is cleared."""

    kind: Name
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="As /v1/kinds describes them")
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")] | None = Field(
        None, description="Made up if missing"
    )
    lasts: Span | None = Field(None, alias="for", description="Heals by itself after this long, such as 30s")


class Criteria(Body):
    """Which journal entries are meant; all that are given must be met. Globs for call, path and user."""

    face: Face | None = None
    kind: Kind | None = None
    call: Name | None = None
    path: Name | None = None
    method: Name | None = None
    user: Name | None = None
    credential: Name | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    error: int | None = None
    connection: int | None = None
    fault: Name | None = None
    ended: Ending | None = None
    after: AwareDatetime | None = Field(None, description="Begun at this instant of the appliance's clock, or later")
    before: AwareDatetime | None = Field(None, description="Begun before this instant")

    def matching(self) -> dict[str, Any]:
        """As arguments of :class:`Matching`."""
        given = self.model_dump(exclude_none=True, exclude=set(Criteria.model_fields) - set(Matching.__annotations__))
        if self.after is not None or self.before is not None:
            given["between"] = tuple(None if at is None else instant_ns(at) for at in (self.after, self.before))
        return given


class JournalQuery(Criteria):
    """Which part of the journal."""

    since: Annotated[int, Field(ge=0)] = Field(0, description="From the entry of this number on")
    limit: Annotated[int, Field(ge=1, le=1000)] = Field(100, description="At most so many, the earliest")

    def matching(self) -> dict[str, Any]:
        """As arguments of :class:`Matching`."""
        return {name: value for name, value in super().matching().items() if name not in ("since", "limit")}


_Count = Annotated[int, Field(ge=0, le=10**9)]


class Asking(Body):
    """Base of the questions."""

    criteria: Criteria = Criteria()


class Called(Asking):
    """How often it was asked for; without a number at least once."""

    question: Literal["called"]
    exactly: _Count | None = None
    at_least: _Count | None = None
    at_most: _Count | None = None

    @model_validator(mode="after")
    def _without_contradiction(self) -> "Called":
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            raise ValueError("exactly goes with neither at_least nor at_most")
        return self


class NeverCalled(Asking):
    """It was never asked for."""

    question: Literal["never_called"]


class AtMostPerMinute(Asking):
    """No minute holds more of them."""

    question: Literal["at_most_per_minute"]
    limit: _Count


class LoggedInExactly(Asking):
    """So many logins on sockets succeeded."""

    question: Literal["logged_in_exactly"]
    times: _Count


class CalledInOrder(Asking):
    """These methods, each after the one before it."""

    question: Literal["called_in_order"]
    calls: Annotated[list[Name], Field(min_length=1, max_length=100)]


class NoMoreThanOpenConnections(Body):
    """Never more WebSockets open at the same time."""

    question: Literal["no_more_than_open_connections"]
    limit: _Count


AnyQuestion = Annotated[
    Called | NeverCalled | AtMostPerMinute | LoggedInExactly | CalledInOrder | NoMoreThanOpenConnections,
    Field(discriminator="question"),
]


class Question(Body):
    """One question over the journal."""

    ask: AnyQuestion


class ClockOrder(Body):
    """Set the clock, move it on (or back), stop it or let it run; in this order where several are given."""

    at: AwareDatetime | None = Field(None, description="Show this instant, such as 2026-02-09T00:00:00Z")
    advance: Duration | None = Field(None, description="Move on by this long")
    back: Duration | None = Field(None, description="Move back by this long")
    state: Literal["running", "frozen"] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "ClockOrder":
        if not self.model_fields_set:
            raise ValueError("give at least one of at, advance, back, state")
        return self


class Reboot(Body):
    """Boot anew."""

    takes: Span = Field(120_000_000_000, description="BOOTING for this long")
    down: Span = Field(0, description="Before that, no answers for this long")


class Scrub(Body):
    """Start a scrub."""

    pool: Name
    takes: Span = Field(3_600_000_000_000, description="It will have finished after this long")


class NewAlert(Body):
    """An alert to raise."""

    klass: Name
    level: Literal["INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]
    text: Annotated[str, Field(max_length=10_000)] = Field(description="Template over args, such as Pool %(volume)s")
    args: dict[str, JsonValue] | list[JsonValue] | None = None
    source: Annotated[str, Field(max_length=200)] = ""
    one_shot: bool = False


class Row(Body):
    """Fields of a row of a peripheral table."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


def instant_ns(at: datetime) -> int:
    """Nanoseconds since the Unix epoch."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def instant(at_ns: int) -> str:
    """RFC 3339 of an instant, to the microsecond."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{at_ns // 1000 % 1_000_000:06d}Z"
    )
