"""Faults of keys, logins and sessions, as data (truenas-api 5.3, 5.4)."""

import errno
import glob
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from mock_truenas.api.errors import CallError, NotAuthorized
from mock_truenas.appliance.accounts import EVERYTHING
from mock_truenas.appliance.model import State
from mock_truenas.durations import Duration
from mock_truenas.faults.effect import LiveSessions, Result
from mock_truenas.faults.kind import Effect, FaultKind, Keyring, Parameters, RequestParameters, Stage, Witness
from mock_truenas.faults.kinds.overlays import seen_through
from mock_truenas.faults.kinds.rpc import broke
from mock_truenas.faults.target import Face, Occasion

_CALL: Final[frozenset[Occasion]] = frozenset({"call"})
_SOCKETS: Final[frozenset[Face]] = frozenset({"rpc", "ddp"})
_Glob = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
_LOGINS: Final = "auth.login*"


class RevokeKey(Parameters):
    key: str = Field("*", description="Glob on the names of the API keys to revoke")


class DeleteKey(Parameters):
    key: str = Field("*", description="Glob on the names of the API keys to delete")


class ExpireKey(Parameters):
    key: str = Field("*", description="Glob on the names of the API keys that expire")


class DeadAllowlists(Parameters):
    pass


class PlaintextRevocation(Parameters):
    pass


class SessionLoss(Parameters):
    pass


class TwoFactor(Parameters):
    pass


class LoginParameters(RequestParameters):
    """Parameters of a kind that acts on logins."""

    call: _Glob = Field(_LOGINS, description="Glob on the API method, such as auth.login_ex; several separated by |")


class RateLimit(LoginParameters):
    delay: Duration = Field("1s", validate_default=True, description="How long a login waits before it fails")


class PamState(LoginParameters):
    pass


class MechanismChoices(RequestParameters):
    call: _Glob = Field("auth.mechanism_choices", description="Glob on the API method; several are separated by |")


class Redirect(LoginParameters):
    call: _Glob = Field("auth.login_ex", description="Glob on the API method; several are separated by |")
    urls: list[str] = Field(["10.0.0.11"], description="Addresses of the controller that is active")


class Role(RequestParameters):
    allows: str = Field(
        "auth.*|core.*|system.*", description="Globs of the methods that may still be called, separated by |"
    )


def _revoke(parameters: RevokeKey) -> Effect:
    def change(keyring: Keyring, fault_id: str) -> None:
        keyring.revoke(parameters.key, by=fault_id)

    def undo(keyring: Keyring, fault_id: str) -> None:
        keyring.restore("*", by=fault_id)

    return Effect(change=change, undo=undo)


def _dead_allowlists(_: DeadAllowlists) -> Effect:
    def change(keyring: Keyring, fault_id: str) -> None:
        for key in list(keyring.accounts.keys.values()):
            if key.allowlist != EVERYTHING:
                keyring.revoke(glob.escape(key.name), by=fault_id)

    def undo(keyring: Keyring, fault_id: str) -> None:
        keyring.restore("*", by=fault_id)

    return Effect(change=change, undo=undo)


def _delete(parameters: DeleteKey) -> Effect:
    return Effect(
        change=lambda keyring, fault_id: keyring.accounts.hide(parameters.key, fault_id),
        undo=lambda keyring, fault_id: keyring.accounts.show(fault_id),
    )


def _expire(parameters: ExpireKey) -> Effect:
    return Effect(
        change=lambda keyring, fault_id: keyring.accounts.expire(parameters.key, fault_id),
        undo=lambda keyring, fault_id: keyring.accounts.show(fault_id),
    )


def _plaintext(_: PlaintextRevocation) -> Effect:
    def undo(keyring: Keyring, fault_id: str) -> None:
        keyring.restore("*", by=fault_id)

    return Effect(
        undo=undo,
        behaviour=lambda usual: replace(usual, revoke_plaintext_keys=True),
    )


def _two_factor(state: State) -> State:
    return replace(state, host=replace(state.host, two_factor=True))


def _redirect(parameters: Redirect) -> Effect:
    return Effect(result=Result({"response_type": "REDIRECT", "urls": list(parameters.urls)}))


def _suspend(sessions: LiveSessions, fault_id: str) -> None:
    sessions.suspend(fault_id)


def _resume(sessions: LiveSessions, fault_id: str) -> None:
    sessions.resume(fault_id)


def _refused(*errors: str) -> Callable[[Any], Witness]:
    return lambda _: Witness(journal=({"fault": True},), poll_errors=errors)


_NO_CHOICES: Final = "'NoneType' object has no attribute 'may_create_auth_token'"
_PAM_STATE: Final = "AUTH: unexpected authenticator run state. Expected: START"

KINDS: Final = (
    FaultKind(
        name="auth.revoke_key",
        doc="Revoke the API keys that exist now; healing makes the same keys valid again.",
        parameters=RevokeKey,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True, "status": [401]},), poll_errors=("auth",)),
        effect=_revoke,
    ),
    FaultKind(
        name="auth.delete_key",
        doc="Delete the API keys that exist now: REST of 25.04 and 25.10 breaks with 500; healing brings them back.",
        parameters=DeleteKey,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True, "status": [401, 500]},), poll_errors=("auth", "api")),
        effect=_delete,
    ),
    FaultKind(
        name="auth.expire_key",
        doc="Let the API keys that exist now expire: live sessions go on, the next login fails.",
        parameters=ExpireKey,
        stage=Stage.STATE,
        witness=_refused("auth"),
        effect=_expire,
    ),
    FaultKind(
        name="auth.allowlists_dead",
        doc="Revoke every API key whose allowlist does not hold everything, as the upgrade to 25.04 does.",
        parameters=DeadAllowlists,
        stage=Stage.STATE,
        witness=_refused("auth"),
        effect=_dead_allowlists,
    ),
    FaultKind(
        name="auth.plaintext_revocation",
        doc="An API key used for a login over a plain WebSocket is revoked at once, as for clients that are not local.",
        parameters=PlaintextRevocation,
        stage=Stage.STATE,
        witness=_refused("auth"),
        effect=_plaintext,
    ),
    FaultKind(
        name="auth.lose_session",
        doc="The appliance forgets the open sessions, their connections stay: 207 until a new login, or healing.",
        parameters=SessionLoss,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth",)),
        effect=lambda _: Effect(change_sessions=_suspend, undo_sessions=_resume),
    ),
    FaultKind(
        name="auth.expire_session",
        doc="The open sessions have come to their age: 207 until a new login, connections stay. Healing ends nothing.",
        parameters=SessionLoss,
        stage=Stage.STATE,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth",)),
        effect=lambda _: Effect(change_sessions=_suspend),
        lasting=True,
    ),
    FaultKind(
        name="auth.rate_limit",
        doc="Logins wait and then fail, as after more than 20 of them in a minute.",
        parameters=RateLimit,
        stage=Stage.DELAY,
        witness=lambda parameters: Witness(
            journal=({"fault": True, "duration_at_least_ns": parameters.delay},), poll_errors=("auth", "api")
        ),
        effect=lambda parameters: Effect(
            delay_ns=parameters.delay, refuses=lambda: CallError("Rate Limit Exceeded", errno.EBUSY)
        ),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="auth.pam_state",
        doc="Logins fail because an earlier one on the connection was left half finished.",
        parameters=PamState,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth", "api")),
        effect=lambda _: Effect(refuses=lambda: broke("RuntimeError", _PAM_STATE)),
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="auth.mechanism_choices",
        doc="Asking which logins there are breaks, as before a login from 25.04.2 to 25.10.",
        parameters=MechanismChoices,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth", "api")),
        effect=lambda _: Effect(refuses=lambda: broke("AttributeError", _NO_CHOICES)),
        acts_on=_CALL,
    ),
    FaultKind(
        name="auth.role",
        doc="Whoever calls may call a few methods only: EACCES on WebSockets, 403 without a body on REST.",
        parameters=Role,
        stage=Stage.STATUS,
        witness=_refused("auth"),
        effect=lambda _: Effect(refuses=NotAuthorized),
        acts_on=_CALL,
        spares=lambda parameters: parameters.allows,
    ),
    FaultKind(
        name="auth.redirect",
        doc="Logins are sent to the other controller, as by the standby of a pair.",
        parameters=Redirect,
        stage=Stage.STATUS,
        witness=lambda _: Witness(journal=({"fault": True},), poll_errors=("auth", "api")),
        effect=_redirect,
        acts_on=_CALL,
        faces=_SOCKETS,
    ),
    FaultKind(
        name="auth.two_factor",
        doc="A second factor is asked for: Basic authentication is refused, a password alone is not enough.",
        parameters=TwoFactor,
        stage=Stage.STATE,
        witness=_refused("auth"),
        effect=lambda _: seen_through(_two_factor),
        shows=_LOGINS,
    ),
)
