"""One call on a WebSocket from its name to its outcome, through the faults it meets. Knows neither face's wire."""

import asyncio
import errno
import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mock_truenas.api.errors import ENOMETHOD, CallError, MethodError, NotAuthenticated, NotAuthorized
from mock_truenas.api.methods import performing
from mock_truenas.api.methods.method import Access, Call, Method, Principal
from mock_truenas.api.resources.moment import Moment
from mock_truenas.api.sockets.connection import Connection
from mock_truenas.appliance.jobs import Job
from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.effect import Stage

LOGINS: Final = "auth.login"
NOBODY: Final[Mapping[str, None]] = {"user": None, "credential": None}
"""What the journal says of a login that let nobody in, whoever was in already."""
_LIMITED_WAIT_S: Final = (1.0, 10.0)


@dataclass
class Outcome:
    """What came of a call: a value or an error; nothing is to be answered when it was ``silenced``."""

    met: Met = NOTHING_MET
    value: Any = None
    error: MethodError | None = None
    silenced: bool = False
    refused_login: bool = False
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """A call as a message asks for it. ``message_id`` is noted at the job it starts; without ``answered`` it has none.

    ``began_s`` is the loop's time when the message came.
    """

    name: str
    arguments: Sequence[Any]
    message_id: Any
    began_s: float
    answered: bool = True

    @property
    def request_id(self) -> str | None:
        """The JSON text of its id."""
        return json.dumps(self.message_id) if self.answered else None


def forsaken(connection: Connection, asked: Asked, faults: Sequence[str] = ()) -> None:
    """Write the entry of a call whose connection ended before it was over, or before it began."""
    connection.journal(
        asked.began_s,
        kind="call",
        call=asked.name,
        request_id=asked.request_id,
        ended="client_gone",
        faults=tuple(faults),
        **NOBODY if asked.name.startswith(LOGINS) else {},
    )


async def outcome_of(connection: Connection, asked: Asked) -> Outcome:
    """Carry out a call. Raises nothing a client could cause.

    A call that is not over when its connection ends is journaled here.
    """
    outcome = Outcome(connection.house.faults.met_by(connection.target(asked.name)))
    before = connection.standing.session
    try:
        await _carried_out(connection, asked.name, asked.arguments, asked.message_id, outcome)
    except asyncio.CancelledError:
        forsaken(connection, asked, outcome.faults)
        raise
    outcome.refused_login = asked.name.startswith(LOGINS) and connection.standing.session in (None, before)
    return outcome


async def _carried_out(
    connection: Connection, name: str, arguments: Sequence[Any], message_id: Any, outcome: Outcome
) -> None:
    met = outcome.met
    silenced_by = met.silenced_by()
    if silenced_by is not None:
        outcome.silenced = True
        outcome.faults.append(silenced_by)
        return
    loop = asyncio.get_running_loop()
    for fault in met.at(Stage.DELAY):
        outcome.faults.append(fault.fault_id)
        await asyncio.sleep(fault.wait_s(loop.time()))
    try:
        refusal = met.refusal()
        if refusal is not None:
            outcome.faults.append(refusal[0])
            raise refusal[1]
        outcome.value = await _value(connection, name, arguments, message_id, outcome)
        outcome.value, changed_by = met.changed(outcome.value)
        outcome.faults += changed_by
    except MethodError as error:
        outcome.error = error
    standing = connection.standing
    if isinstance(outcome.error, NotAuthenticated) and standing.session is not None:
        standing.blamed += tuple(standing.session.suspended_by)
    shown, standing.blamed = (*met.shown(), *standing.blamed), ()
    outcome.faults += (fault_id for fault_id in dict.fromkeys(shown) if fault_id not in outcome.faults)


async def _value(connection: Connection, name: str, arguments: Sequence[Any], message_id: Any, outcome: Outcome) -> Any:
    appliance, dialect = connection.appliance, connection.endpoint.dialect
    appliance.evolve()
    method = performing.find(name, appliance.release.dialect)
    principal = connection.principal()
    if not dialect.serves(name):
        raise CallError(f"Method {name!r} not found in API {dialect.version.text}", ENOMETHOD)
    await _admit(connection, method, principal)
    instead = outcome.met.result()
    if instead is not None:
        outcome.faults.append(instead[0])
        return instead[1]
    given, query = performing.prepared(method, arguments, dialect)
    moment = Moment.of(appliance, appliance.now_ns())
    call = Call(
        method,
        appliance,
        dialect,
        moment,
        connection.endpoint.face,
        given,
        query,
        principal,
        connection,
        connection.house.sessions,
        connection.address,
    )
    value = await performing.perform(call)
    if isinstance(value, Job):
        return await _result_of(connection, value, message_id)
    return value


async def _admit(connection: Connection, method: Method, principal: Principal | None) -> None:
    """Raises NotAuthenticated, NotAuthorized, and EBUSY for nobody who calls too often (truenas-api 5.4)."""
    dialect = connection.appliance.release.dialect
    performing.allowed(method, principal, dialect)
    if principal is not None:
        if (
            principal.allowlist is not None
            and performing.access_of(method, dialect) is not Access.OPEN
            and not _listed(principal, method.name)
        ):
            raise NotAuthorized
        return
    limited = connection.behaviour.login_rate_limit and dialect.has("login_rate_limit")
    now_s = asyncio.get_running_loop().time()
    if limited and connection.house.sessions.rate_limit.exceeded_by(method.name, connection.address, now_s):
        await asyncio.sleep(connection.appliance.stream("rate limit").uniform(*_LIMITED_WAIT_S))
        raise CallError("Rate Limit Exceeded", errno.EBUSY)


def _listed(principal: Principal, name: str) -> bool:
    """Whether the allowlist of a key of 24.x covers a method."""
    assert principal.allowlist is not None
    return any(verb in ("*", "CALL") and fnmatch.fnmatchcase(name, what) for verb, what in principal.allowlist)


async def _result_of(connection: Connection, job: Job, message_id: Any) -> Any:
    """The id of a job, or with ``legacy_jobs`` off its result once it is over (truenas-api 5.5)."""
    jobs = connection.appliance.jobs
    if message_id is not None:
        jobs.tag(job.id, message_id)
    if connection.wishes.legacy_jobs:
        return job.id
    ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()

    def tell(over: Job) -> None:
        if not ended.done():
            ended.set_result(over)

    jobs.when_ended(job.id, tell)
    with connection.house.sessions.ticking.held():
        over = await ended
    if over.state == "SUCCESS":
        return over.result
    if isinstance(over.exc, MethodError):
        raise over.exc
    raise CallError(over.error or "Job was aborted", errno.EFAULT)
