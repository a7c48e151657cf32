"""Which requests, calls and events a fault is about: the parameters that say so, and the matching. Counts nothing."""

import fnmatch
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mock_truenas.faults.target import Face, Occasion, Target

_Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Parameters(BaseModel):
    """Base of every kind's parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RequestParameters(Parameters):
    """Parameters of a kind that acts on single requests, and which of them it acts on."""

    path: Annotated[str, StringConstraints(pattern=r"^[/*]", max_length=1000)] = Field(
        "*", description="Glob on the path below /api/v2.0, such as /pool or /system/*; on a socket the whole path"
    )
    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")] | None = Field(
        None, description="Only requests with this method, such as POST"
    )
    face: Face | None = Field(None, description="Only this face: front, rest, rpc (JSON-RPC) or ddp (/websocket)")
    call: _Glob = Field(
        "*", description="Glob on the API method, such as pool.query, on every face; several are separated by |"
    )
    connection: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Only the WebSocket connection of this number; the first is 1"
    )
    skip: Annotated[int, Field(ge=0)] = Field(0, description="Spare the first N matching requests")
    first: Annotated[int, Field(ge=1)] | None = Field(None, description="Only the first N matching requests")
    every: Annotated[int, Field(ge=1)] = Field(1, description="Only every Nth matching request")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="The share of matching requests struck")


@dataclass(frozen=True)
class Scope:
    """Which targets a fault is about."""

    occasions: Set[Occasion]
    faces: Set[Face] | None
    path: re.Pattern[str] | None
    method: str | None
    call: re.Pattern[str] | None
    spared: re.Pattern[str] | None
    connection: int | None
    skip: int = 0
    first: int | None = None
    every: int = 1
    probability: float = 1.0

    @classmethod
    def of(
        cls, parameters: BaseModel, occasions: Set[Occasion], faces: Set[Face] | None, shows: str, spared: str = ""
    ) -> "Scope | None":
        """The scope of parameters; without request parameters that of the calls it ``shows`` in, None when in none."""
        if not isinstance(parameters, RequestParameters):
            if not shows:
                return None
            return cls(frozenset({"call"}), faces, None, None, _pattern(shows), None, None)
        return cls(
            occasions,
            faces
            if parameters.face is None
            else frozenset({parameters.face}) & (faces or frozenset({parameters.face})),
            _pattern(parameters.path),
            parameters.method,
            _pattern(parameters.call),
            _pattern(spared) if spared else None,
            parameters.connection,
            parameters.skip,
            parameters.first,
            parameters.every,
            parameters.probability,
        )

    def covers(self, target: Target) -> bool:
        """Whether ``target`` is meant, the counts left aside."""
        if not (self.occasions & target.occasions):
            return False
        if self.faces is not None and target.face not in self.faces:
            return False
        if self.method is not None and self.method != target.verb:
            return False
        if self.connection is not None and self.connection != target.connection:
            return False
        if self.path is not None and self.path.match(target.path) is None:
            return False
        name = target.event or target.call
        if self.call is not None and self.call.match(name) is None:
            return False
        return self.spared is None or self.spared.match(name) is None


def _pattern(globs: str) -> re.Pattern[str] | None:
    """One expression of globs separated by ``|``; None when everything matches."""
    return None if globs == "*" else re.compile("|".join(map(fnmatch.translate, globs.split("|"))))
