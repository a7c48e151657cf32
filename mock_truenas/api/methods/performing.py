"""Finding, checking and carrying out a call; every face goes through here. Knows no face's words or wire.

A face does ``find``, ``allowed``, ``prepared`` and ``perform`` in this order, and shows what they raise its own way.
"""

import inspect
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from mock_truenas.api.errors import CallError, MethodBroke, MethodError, NoSuchMethod, NotAuthenticated, NotAuthorized
from mock_truenas.api.methods.catalogue import METHODS, SERVICES
from mock_truenas.api.methods.checking import arguments_of, plain
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Principal
from mock_truenas.api.methods.queries import apply, apply_in_turns, read_query, takes_long
from mock_truenas.api.methods.query import Query
from mock_truenas.appliance.dialect import Dialect

_BUG: Final = logging.getLogger("mock_truenas")
# Methods that are open to anybody only where a version has the feature.
_OPEN_WITH: Final = {"core.ping": "ping_without_login"}
# Whose members may also do what these may. A role that ends in _WRITE includes its _READ (truenas-api 5.3).
_INCLUDED: Final = {
    "SHARING_ADMIN": frozenset({"READONLY_ADMIN", "SHARING_WRITE", "DATASET_WRITE", "SERVICE_WRITE"}),
    "REPLICATION_ADMIN": frozenset({"REPLICATION_WRITE", "SNAPSHOT_WRITE", "SNAPSHOT_TASK_WRITE"}),
    "APPS_ADMIN": frozenset({"APPS_WRITE"}),
    "VM_ADMIN": frozenset({"VM_WRITE"}),
}


def find(name: str, dialect: Dialect) -> Method:
    """The method of that name in that version. Raises NoSuchMethod."""
    method = METHODS.get(name)
    if method is None or not dialect.serves(name):
        service = name.rpartition(".")[0]
        names = SERVICES.get(service, ())
        raise NoSuchMethod(name, service_known=any(dialect.serves(f"{service}.{verb}") for verb in names))
    return method


def access_of(method: Method, dialect: Dialect) -> Access:
    """Who may call it in that version."""
    feature = _OPEN_WITH.get(method.name)
    return Access.LOGIN if feature is not None and not dialect.has(feature) else method.access


def allowed(method: Method, principal: Principal | None, dialect: Dialect | None = None) -> None:
    """Whether somebody, or nobody, may call it. Raises NotAuthenticated or NotAuthorized.

    The allowlist of a key of 24.x lists paths, so judging by it is the business of the face that has paths.
    """
    access = method.access if dialect is None else access_of(method, dialect)
    if access is Access.OPEN:
        return
    if principal is None:
        raise NotAuthenticated
    if access is Access.LOGIN or "FULL_ADMIN" in principal.roles:
        return
    roles = _with_included(principal.roles)
    reads = access is Access.READ and "READONLY_ADMIN" in roles
    if not reads and not (method.roles and roles & method.roles):
        raise NotAuthorized


def prepared(method: Method, arguments: Sequence[Any], dialect: Dialect) -> tuple[dict[str, Any], Query | None]:
    """Positional JSON arguments, checked: by parameter name, or as a query. Raises ValidationErrors, CallError."""
    if not method.filterable:
        return arguments_of(method, arguments, dialect), None
    if len(arguments) > 2:
        raise CallError(f"Too many arguments (expected 2, found {len(arguments)})")
    return {}, read_query(arguments, dialect)


def begin(call: Call) -> Any:
    """Run a call as far as it goes at once: its value, or an awaitable of it. Raises MethodError only."""
    try:
        value = call.method.run(call)
        if inspect.isawaitable(value):
            return value
        return _later(value) if call.query is not None and takes_long(call.query, value) else finished(call, value)
    except MethodError:
        raise
    except Exception as error:  # the appliance's own form of a method that broke; here it is a bug of the mock
        raise _broken(call, error) from error


async def perform(call: Call) -> Any:
    """The result of a call as plain JSON; of a job method, the Job that was started. Raises MethodError only."""
    value = begin(call)
    return await finished_later(call, value) if inspect.isawaitable(value) else value


async def finished_later(call: Call, value: Awaitable[Any]) -> Any:
    """The result of a call that ``begin`` could only begin. Raises MethodError only."""
    try:
        made = await value
        if call.query is not None and takes_long(call.query, made):
            return await apply_in_turns(call.query, made)
        return finished(call, made)
    except MethodError:
        raise
    except Exception as error:
        raise _broken(call, error) from error


def finished(call: Call, value: Any) -> Any:
    """What becomes of the value a method returned: its query applied, its job started."""
    if call.method.job and isinstance(value, JobPlan):
        who = call.principal.username if call.principal is not None else "root"
        return call.appliance.jobs.start(call.method.name, positional(call), value, who)
    return value if call.query is None else apply(call.query, value)


async def _later(value: Any) -> Any:
    return value


def positional(call: Call) -> list[Any]:
    """The arguments of a call as plain JSON, in the order of its parameters."""
    params = call.method.params(call.dialect)
    return [plain(param.type, call.arguments[param.name]) for param in params if param.name in call.arguments]


def _with_included(roles: frozenset[str]) -> frozenset[str]:
    included = roles.union(*(_INCLUDED.get(role, ()) for role in roles))
    return included | {role.removesuffix("_WRITE") + "_READ" for role in included if role.endswith("_WRITE")}


def _broken(call: Call, error: Exception) -> MethodBroke:
    kind = type(error).__name__
    _BUG.error(
        "method %(method)s broke: %(exception)s", {"method": call.method.name, "exception": kind}, exc_info=error
    )
    return MethodBroke(kind, str(error), f"Traceback (most recent call last):\n{kind}: {error}\n")
