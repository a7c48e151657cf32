"""What each check may be told in a scenario file.

Knows nothing of how it is judged; that the values make sense is checked here. A parameter not given is not written
into a result, so that a default can be told from a choice.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pulse_sim.units import MINUTE, Duration

ERROR_TYPES: Final = ("connection", "auth", "validation", "not_found", "internal", "api", "timeout")
ErrorType = Literal["connection", "auth", "validation", "not_found", "internal", "api", "timeout"]
Criterion = Literal["crash", "corruption", "interference", "failure_rate", "auth_errors"]

ABORT_SETS: Final[Mapping[str, tuple[Criterion, ...]]] = {
    "safety": ("corruption", "interference", "crash"),
    "standard": ("corruption", "interference", "crash", "failure_rate", "auth_errors"),
}
"""What ``abort: safety`` and ``abort: standard`` of a scenario stand for (pulse-contract A11, DESIGN R10)."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Limit = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, max_length=512)]


def _in_order(window: tuple[int, int]) -> tuple[int, int]:
    if window[0] >= window[1]:
        raise ValueError("the window must end after it begins")
    return window


Window = Annotated[tuple[Duration, Duration], Field(strict=False), AfterValidator(_in_order)]
"""``[from, to]`` since the scenario's start, both ends included."""


class Parameters(BaseModel):
    """The parameters of one check."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def given(self) -> dict[str, Any]:
        """The parameters that were given, as plain JSON with durations in their shortest form."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def require_bounds(at_least: int | None, at_most: int | None) -> None:
    """Raises ValueError when nothing bounds a number, or nothing can lie between its bounds."""
    if at_least is None and at_most is None:
        raise ValueError("give at_least or at_most, or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise ValueError("at_least is more than at_most")


class PollErrors(Parameters):
    """How many polls of a connection failed with one type of error."""

    connection: Name
    error_type: ErrorType
    at_least: Limit | None = None
    at_most: Limit | None = None
    between: Window | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        require_bounds(self.at_least, self.at_most)
        return self


class PollSuccessRate(Parameters):
    """Which share of a connection's polls succeeded, 0 to 1."""

    connection: Name
    at_least: Share
    between: Window | None = None


class Moment(Parameters):
    """When a status must hold: become so ``by`` (and ``after``), be so ``at``, or be so at all times ``between``."""

    by: Duration | None = None
    at: Duration | None = None
    between: Window | None = None
    after: Duration | None = None

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if sum(moment is not None for moment in (self.by, self.at, self.between)) != 1:
            raise ValueError("give exactly one of by, at and between")
        if self.after is not None and (self.by is None or self.after >= self.by):
            raise ValueError("after goes with a later by")
        return self


class SourceStatus(Moment):
    """Whether a connection's data counts as fresh or stale."""

    connection: Name
    is_: Literal["online", "stale", "unknown"] = Field(alias="is")


class ResourceStatus(Moment):
    """What one resource shows; ``resource`` is its source id below ``system:``, such as ``nas-1/pool:tank``."""

    resource: Annotated[str, Field(min_length=1, max_length=512)]
    is_: Literal["online", "warning", "offline", "unknown"] = Field(alias="is")


class Recovers(Parameters):
    """A connection works again, and is seen to, ``within`` a time ``after`` the trouble."""

    connection: Name
    within: Duration
    after: Duration


class RequestRate(Parameters):
    """The most requests an appliance got in any 60 seconds."""

    appliance: Name
    at_most_per_minute: Limit
    between: Window | None = None


class StalenessBelow(Parameters):
    """How old a connection's last success ever was."""

    connection: Name
    at_most: Duration
    between: Window | None = None


class NeverCrashes(Parameters):
    """A system, or every one, kept answering while it was up."""

    system: Name | None = None


class NoSecretLeaks(Parameters):
    """No secret of the run is readable in anything recorded or written to disk."""


class FaultsTookEffect(Parameters):
    """Every fault of the scenario was felt."""


class NoLeaks(Parameters):
    """What the systems hold at the end is what they held before the trouble, up to ``tolerance``."""

    tolerance: Limit = 2


class Isolation(Parameters):
    """While other appliances are in trouble, the ``undisturbed`` connections are."""

    undisturbed: Annotated[list[Name], Field(min_length=1)]
    at_most_gap: Duration | None = None


class Counted(Parameters):
    """How often something of a system was seen, over the run or ``between`` two times."""

    system: Name = "pulse"
    at_least: Limit | None = None
    at_most: Limit | None = None
    between: Window | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        require_bounds(self.at_least, self.at_most)
        return self


class LogLines(Counted):
    """How many lines of a system's log hold a text."""

    text: Text


class Restarts(Counted):
    """How often a system was started again."""


class ApiAnswer(Parameters):
    """What a page of a system's API answered when the operator asked for it."""

    system: Name = "pulse"
    path: Text
    at: Duration
    status: Annotated[int, Field(ge=100, le=599)] = 200
    rows: Limit | None = None
    contains: list[Text] = Field(default_factory=list)
    lacks: list[Text] = Field(default_factory=list)


class DataFile(Parameters):
    """What became of a file of a system's data directory."""

    system: Name = "pulse"
    file: Text
    is_: Literal["present", "absent", "unchanged"] = Field(alias="is")
    after: Duration | None = None


class ExpectAbort(Parameters):
    """The one criterion that must fire, and when."""

    criterion: Criterion
    between: Window


class AbortCriteria(Parameters):
    """No abort criterion fired, or exactly the expected one."""

    criteria: Annotated[list[Criterion], Field(min_length=1)]
    expect_abort: ExpectAbort | None = None

    @model_validator(mode="after")
    def _expectation_is_watched(self) -> Self:
        if self.expect_abort is not None and self.expect_abort.criterion not in self.criteria:
            raise ValueError("the expected criterion is not among the criteria")
        return self


AFTERMATH_NS: Final = MINUTE
"""How long after a fault window a connection elsewhere must stay undisturbed."""
