"""The mechanisms by which somebody logs in on a connection (truenas-api 5.3), and the forms of what they answer.

Each takes the checked data of its step and tells a verdict; what a verdict becomes is the business of the methods.
"""

import asyncio
import errno
import glob
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from mock_truenas.api.auth import scram
from mock_truenas.api.auth.sessions import Entropy, Session, Standing
from mock_truenas.api.errors import CallError
from mock_truenas.api.methods.method import Principal
from mock_truenas.appliance.accounts import Allowed
from mock_truenas.appliance.nas import Appliance
from mock_truenas.behaviour import Behaviour

Says = Literal["SUCCESS", "AUTH_ERR", "EXPIRED", "OTP_REQUIRED", "DENIED", "SCRAM_RESPONSE"]
_SECOND_NS: Final = 1_000_000_000
_NONCE_BYTES: Final = 24
REVOKED_REASON: Final = "Attempt to use over an insecure transport"


class Caller(Protocol):
    """The connection somebody logs in on."""

    @property
    def appliance(self) -> Appliance:
        """The NAS behind it."""
        ...

    @property
    def behaviour(self) -> Behaviour:
        """The switches as they are now."""
        ...

    @property
    def standing(self) -> Standing:
        """Who it is so far."""
        ...

    @property
    def address(self) -> str:
        """Where it comes from."""
        ...

    @property
    def secure(self) -> bool:
        """Whether nobody can listen."""
        ...

    def switched_by(self, switch: str) -> str:
        """The fault that set a switch; empty when it is set anyway."""
        ...


NOBODY: Final = Allowed(ok=False)


@dataclass(frozen=True)
class Verdict:
    """What one step of a login comes to. ``shown`` is what the client showed, for its fingerprint."""

    says: Says
    allowed: Allowed = NOBODY
    mechanism: str = ""
    shown: str = ""
    username: str = ""
    scram_type: str = ""
    rfc_str: str = ""


AUTH_ERR: Final = Verdict("AUTH_ERR")


@dataclass(frozen=True)
class AwaitsOtp:
    """A password was right and the second factor is missing."""

    allowed: Allowed


@dataclass(frozen=True)
class AwaitsProof:
    """A SCRAM client got the server's first message."""

    exchange: scram.Exchange
    allowed: Allowed


def with_password(caller: Caller, data: Mapping[str, Any]) -> Verdict:
    """``PASSWORD_PLAIN``."""
    appliance, username = caller.appliance, data["username"]
    allowed = appliance.check_password(username, data["password"])
    if not allowed.ok:
        return AUTH_ERR
    if asks_for_otp(appliance, username):
        caller.standing.halfway = AwaitsOtp(allowed)
        return Verdict("OTP_REQUIRED", username=username)
    return _success(caller, allowed, "PASSWORD_PLAIN", data["password"])


def with_key(caller: Caller, data: Mapping[str, Any]) -> Verdict:
    """``API_KEY_PLAIN``; without ``username`` the old call that does not ask whose key it is."""
    text = data["api_key"]
    allowed = caller.appliance.check_api_key(text)
    if not allowed.ok:
        caller.standing.blamed += allowed.revoked_by
        return Verdict("EXPIRED") if allowed.why == "expired" else AUTH_ERR
    if data.get("username", allowed.username) != allowed.username:
        return AUTH_ERR
    if _gives_away(caller) and allowed.key_name is not None:
        by = caller.switched_by("revoke_plaintext_keys")
        caller.appliance.revoke(glob.escape(allowed.key_name), by=by, reason=REVOKED_REASON)
        caller.standing.blamed += (by,) if by else ()
        return Verdict("EXPIRED")
    return _success(caller, allowed, "API_KEY_PLAIN", text)


def with_token(caller: Caller, data: Mapping[str, Any]) -> Verdict:
    """``TOKEN_PLAIN``."""
    appliance = caller.appliance
    allowed = appliance.accounts.check_token(data["token"], appliance.now_ns(), caller.address)
    return _success(caller, allowed, "TOKEN_PLAIN", data["token"]) if allowed.ok else AUTH_ERR


def with_otp(caller: Caller, data: Mapping[str, Any]) -> Verdict:
    """``OTP_TOKEN``, only right after ``OTP_REQUIRED``. Raises CallError at any other time."""
    halfway, caller.standing.halfway = caller.standing.halfway, None
    if not isinstance(halfway, AwaitsOtp) or halfway.allowed.username is None:
        raise CallError("OTP_TOKEN: a one-time password is expected only after OTP_REQUIRED", errno.EINVAL)
    appliance = caller.appliance
    if not appliance.accounts.check_otp(halfway.allowed.username, data["otp_token"], appliance.now_ns()):
        return AUTH_ERR
    return _success(caller, halfway.allowed, "OTP_TOKEN", data["otp_token"])


def with_scram(caller: Caller, data: Mapping[str, Any]) -> Verdict:
    """``SCRAM``: the client's first message, then its last one."""
    if data["scram_type"] == "CLIENT_FIRST_MESSAGE":
        return _scram_first(caller, data["rfc_str"])
    halfway, caller.standing.halfway = caller.standing.halfway, None
    if not isinstance(halfway, AwaitsProof):
        raise CallError("SCRAM: CLIENT_FINAL_MESSAGE is expected only after CLIENT_FIRST_MESSAGE", errno.EINVAL)
    proven = halfway.exchange.finish(data["rfc_str"])
    if proven is None:
        return AUTH_ERR
    verdict = _success(caller, halfway.allowed, "SCRAM", str(halfway.allowed.key_id))
    if verdict.says != "SUCCESS":
        return verdict
    return replace(verdict, says="SCRAM_RESPONSE", scram_type="SERVER_FINAL_RESPONSE", rfc_str=proven)


def _scram_first(caller: Caller, text: str) -> Verdict:
    try:
        first = scram.read_first(text)
    except ValueError:
        return AUTH_ERR
    appliance = caller.appliance
    key = appliance.accounts.find_key(first.key_id)
    if key is None or key.username != first.username or key.revoked or appliance.accounts.user(key.username).locked:
        return AUTH_ERR
    if key.expired_at(appliance.now_ns()):
        return Verdict("EXPIRED")
    roles = appliance.accounts.user(key.username).roles
    allowed = Allowed(True, key.allowlist, username=key.username, roles=roles, key_id=key.id, key_name=key.name)
    nonce = nonce_of(caller.standing.sessions.entropy)
    exchange = scram.Exchange(first, appliance.accounts.scram_key(key.id), nonce)
    caller.standing.halfway = AwaitsProof(exchange, allowed)
    return Verdict("SCRAM_RESPONSE", scram_type="SERVER_FIRST_RESPONSE", rfc_str=exchange.server_first)


MECHANISMS: Final[Mapping[str, Callable[[Caller, Mapping[str, Any]], Verdict]]] = {
    "PASSWORD_PLAIN": with_password,
    "API_KEY_PLAIN": with_key,
    "TOKEN_PLAIN": with_token,
    "OTP_TOKEN": with_otp,
    "SCRAM": with_scram,
}


def asks_for_otp(appliance: Appliance, username: str) -> bool:
    """Whether a user's password is not enough: the machine asks everybody, or him."""
    user = appliance.accounts.users.get(username)
    return user is not None and (user.two_factor or appliance.state.host.two_factor)


def nonce_of(entropy: Entropy) -> str:
    """A nonce without commas."""
    return entropy(_NONCE_BYTES).hex()


async def wait_after(caller: Caller, delay_s: tuple[float, float]) -> None:
    """Let somebody who was refused wait between two lengths of time."""
    if caller.behaviour.failed_login_delay and delay_s[1] > 0:
        await asyncio.sleep(caller.appliance.stream("refused login").uniform(*delay_s))


def _gives_away(caller: Caller) -> bool:
    """Whether a key that was just shown is now known to whoever listens, and must die (truenas-api 5.3)."""
    watched = caller.appliance.release.dialect.has("revokes_plaintext_keys")
    return watched and caller.behaviour.revoke_plaintext_keys and not caller.secure


def _success(caller: Caller, allowed: Allowed, mechanism: str, shown: str) -> Verdict:
    """Begin a session, unless the user has no rights at all."""
    dialect = caller.appliance.release.dialect
    if not allowed.roles and not dialect.has("key_allowlists"):
        return Verdict("DENIED") if dialect.has("login_denied") else AUTH_ERR
    standing, now_ns = caller.standing, caller.appliance.now_ns()
    age_s = dialect.value("session_age_s")
    standing.halfway = None
    standing.enter(
        Session(
            id=standing.sessions.fresh_id(),
            principal=principal_of(allowed, mechanism),
            peer=standing.peer,
            created_at_ns=now_ns,
            expires_at_ns=now_ns + age_s * _SECOND_NS if age_s else None,
            key_id=allowed.key_id,
            credential=hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        )
    )
    return Verdict("SUCCESS", allowed, mechanism, shown)


def principal_of(allowed: Allowed, mechanism: str) -> Principal:
    """Who somebody is that may come in. A list of everything is none."""
    limited = allowed.allowlist if allowed.key_id is not None and ("*", "*") not in allowed.allowlist else None
    return Principal(allowed.username or "root", allowed.roles, limited, mechanism, allowed.key_name)
