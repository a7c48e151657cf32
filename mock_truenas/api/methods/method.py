"""A method of the API and a call of it, as values. Knows no face: no HTTP, no frames, no routes.

One table of methods serves all faces; REST derives its paths from names and kinds (truenas-api 2.1).
"""

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from mock_truenas.api.methods.query import Query
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance.accounts import Allowlist
from mock_truenas.appliance.dialect import Dialect, Span
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.versions import read_version

Face = Literal["rest", "rpc", "ddp"]
Moving = Literal["never", "template", "always"]
REQUIRED: Final = object()


class Kind(enum.Enum):
    """What a method is to its service; a CRUD or config service is one that has QUERY or CONFIG."""

    QUERY = "query"
    CONFIG = "config"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CALL = "call"


class Access(enum.Enum):
    """Who may call: anybody at all, anybody logged in, whoever may read, whoever may change things."""

    OPEN = "open"
    LOGIN = "login"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Param:
    """One positional argument. ``type`` is what a TypeAdapter of pydantic takes; ``default`` REQUIRED if there is none.

    ``since`` and ``until`` are versions, for arguments that came or went; the name is what error paths begin with.
    """

    name: str
    type: Any
    default: Any = REQUIRED
    since: str | None = None
    until: str | None = None

    def exists_in(self, dialect: Dialect) -> bool:
        """Whether that version of the API takes it."""
        since, until = self.since, self.until
        span = Span(read_version(since) if since else None, read_version(until) if until else None)
        return span.covers(dialect.version)


@dataclass(frozen=True)
class Principal:
    """Who calls. ``roles`` count from 25.04 on; on 24.x a key has an ``allowlist`` instead (truenas-api 5.3)."""

    username: str
    roles: frozenset[str] = frozenset({"FULL_ADMIN"})
    allowlist: Allowlist | None = None
    mechanism: str = "API_KEY_PLAIN"
    key_name: str | None = None

    @property
    def may_write(self) -> bool:
        """Whether secret fields are shown to it."""
        return "FULL_ADMIN" in self.roles


@dataclass(frozen=True)
class Call:
    """One call of a method: ``arguments`` by parameter name, checked and with defaults filled in.

    ``query`` is set for filterable methods: the caller applies it to the rows ``run`` returns, which may use it only to
    look at fewer things. ``connection`` is the WebSocket connection, for methods that need one; None on REST.
    ``sessions`` are those of the server that was called, on any face; ``address`` is where the caller is.
    """

    method: "Method"
    appliance: Appliance
    dialect: Dialect
    moment: Moment
    face: Face = "rest"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    query: Query | None = None
    principal: Principal | None = None
    connection: Any = None
    sessions: Any = None
    address: str = ""

    @property
    def extra(self) -> Mapping[str, Any]:
        """``query-options.extra`` of a query; empty otherwise."""
        return self.query.options.extra if self.query is not None else {}


Run: TypeAlias = Callable[[Call], Any | Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """One row of the API.

    ``run`` returns plain JSON values, dates as ``{"$date": ms}``; for a filterable method all rows before the query,
    for a job its plan. It raises what ``api.errors`` has and changes nothing when it does. ``item``: the first
    argument is an id (REST: below ``/id/{id}``). ``roles``: roles besides FULL_ADMIN that may call it, None for the
    usual ones of its access. ``moving`` says how the result depends on the clock: never (kept until the state changes),
    template (rendered once with gaps) or always.
    """

    name: str
    doc: str
    run: Run
    accepts: tuple[Param, ...] = ()
    kind: Kind = Kind.CALL
    access: Access = Access.READ
    roles: frozenset[str] | None = None
    item: bool = False
    filterable: bool = False
    job: bool = False
    downloadable: bool = False
    moving: Moving = "always"

    @property
    def service(self) -> str:
        """The name without its last part."""
        return self.name.rpartition(".")[0]

    @property
    def verb(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def params(self, dialect: Dialect) -> tuple[Param, ...]:
        """The arguments that version takes, in order; not those of a query."""
        return tuple(param for param in self.accepts if param.exists_in(dialect))


@dataclass(frozen=True)
class JobPlan:
    """What a job will do. ``result`` is made, and whatever it changes is changed, when the job ends.

    ``takes_ns`` appliance time; ``steps`` are (fraction, description) shown as progress; an exception of ``result``
    makes the job FAILED.
    """

    takes_ns: int
    result: Callable[[Appliance], Any]
    description: str = ""
    steps: tuple[tuple[float, str], ...] = ()
    abortable: bool = False
