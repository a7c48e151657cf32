"""``auth.*``: who somebody is, and how he proves it (truenas-api 5.3). The mechanisms themselves stand in api/auth."""

import errno
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.auth import login
from mock_truenas.api.auth.login import Caller, Verdict
from mock_truenas.api.auth.sessions import Session
from mock_truenas.api.errors import CallError, MethodBroke, NotAuthenticated
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.core import connection_of
from mock_truenas.api.methods.method import Access, Call, Method, Param, Principal
from mock_truenas.api.resources.moment import date

_SHORTEST_TTL_S: Final = 1
_LONGEST_TTL_S: Final = 365 * 86_400
_BROKEN: Final = "'NoneType' object has no attribute 'may_create_auth_token'"
_CREDENTIALS: Final = {
    "API_KEY_PLAIN": "API_KEY",
    "SCRAM": "API_KEY",
    "PASSWORD_PLAIN": "LOGIN_PASSWORD",
    "OTP_TOKEN": "LOGIN_TWOFACTOR",
    "TOKEN_PLAIN": "TOKEN",
}


class LoginOptions(Given):
    """What a successful login answers besides."""

    user_info: bool = True
    reconnect_token: bool = False


class WithPassword(Given):
    """``PASSWORD_PLAIN``."""

    mechanism: Literal["PASSWORD_PLAIN"]
    username: str
    password: str
    login_options: LoginOptions = LoginOptions()


class WithKey(Given):
    """``API_KEY_PLAIN``."""

    mechanism: Literal["API_KEY_PLAIN"]
    username: str
    api_key: str
    login_options: LoginOptions = LoginOptions()


class WithToken(Given):
    """``TOKEN_PLAIN``."""

    mechanism: Literal["TOKEN_PLAIN"]
    token: str
    login_options: LoginOptions = LoginOptions()


class WithOtp(Given):
    """``OTP_TOKEN``."""

    mechanism: Literal["OTP_TOKEN"]
    otp_token: str
    login_options: LoginOptions = LoginOptions()


class WithScram(Given):
    """``SCRAM``."""

    mechanism: Literal["SCRAM"]
    scram_type: Literal["CLIENT_FIRST_MESSAGE", "CLIENT_FINAL_MESSAGE"]
    rfc_str: str
    login_options: LoginOptions = LoginOptions()


_Plain = Annotated[WithPassword | WithKey | WithToken | WithOtp, Field(discriminator="mechanism")]
_All = Annotated[WithPassword | WithKey | WithToken | WithOtp | WithScram, Field(discriminator="mechanism")]


async def _login_ex(call: Call) -> dict[str, Any]:
    caller: Caller = connection_of(call)
    data = call.arguments["login_data"].model_dump()
    mechanism = data["mechanism"]
    if mechanism != "OTP_TOKEN" and isinstance(caller.standing.halfway, login.AwaitsOtp):
        caller.standing.halfway = None
        raise CallError(f"{mechanism}: unexpected authentication mechanism, OTP_TOKEN is next", errno.EINVAL)
    verdict = login.MECHANISMS[mechanism](caller, data)
    if verdict.says == "AUTH_ERR":
        await login.wait_after(caller, call.dialect.value("refused_key_delay_s"))
    return _told(call, verdict, data["login_options"])


def _told(call: Call, verdict: Verdict, options: dict[str, bool]) -> dict[str, Any]:
    """The answer to a step of a login."""
    told: dict[str, Any] = {"response_type": verdict.says}
    user_info = None
    if verdict.allowed.ok and options["user_info"]:
        user_info = user_info_of(login.principal_of(verdict.allowed, verdict.mechanism))
    if verdict.says == "SUCCESS":
        told |= {"user_info": user_info, "authenticator": "LEVEL_1"}
        if call.dialect.has("login_scram"):
            told["reconnect_token"] = _reconnect_token(call, verdict) if options["reconnect_token"] else None
    elif verdict.says == "OTP_REQUIRED":
        told["username"] = verdict.username
    elif verdict.says == "SCRAM_RESPONSE":
        told |= {"scram_type": verdict.scram_type, "rfc_str": verdict.rfc_str, "user_info": user_info}
    return told


def _reconnect_token(call: Call, verdict: Verdict) -> str:
    username = verdict.allowed.username or "root"
    return call.appliance.accounts.mint_token(username, 600, call.appliance.now_ns(), single_use=True)


async def _login(call: Call) -> bool:
    caller: Caller = connection_of(call)
    username, otp = call.arguments["username"], call.arguments["otp_token"]
    verdict = login.with_password(caller, {"username": username, "password": call.arguments["password"]})
    if verdict.says == "OTP_REQUIRED":
        if otp is None:
            caller.standing.halfway = None
            return False
        verdict = login.with_otp(caller, {"otp_token": otp})
    return await _ended(call, caller, verdict, "refused_password_delay_s")


async def _login_with_api_key(call: Call) -> bool:
    caller: Caller = connection_of(call)
    verdict = login.with_key(caller, {"api_key": call.arguments["api_key"]})
    return await _ended(call, caller, verdict, "refused_key_delay_s")


async def _login_with_token(call: Call) -> bool:
    caller: Caller = connection_of(call)
    verdict = login.with_token(caller, {"token": call.arguments["token"]})
    return await _ended(call, caller, verdict, "refused_key_delay_s")


async def _ended(call: Call, caller: Caller, verdict: Verdict, delay: str) -> bool:
    if verdict.says == "SUCCESS":
        return True
    await login.wait_after(caller, call.dialect.value(delay))
    return False


def _logout(call: Call) -> bool:
    connection_of(call).standing.leave()
    return True


def user_info_of(principal: Principal) -> dict[str, Any]:
    """What is told of somebody who is logged in."""
    root = principal.username == "root"
    number = 0 if root else 950
    return {
        "pw_name": principal.username,
        "pw_gecos": principal.username,
        "pw_dir": "/root" if root else f"/home/{principal.username}",
        "pw_shell": "/usr/bin/zsh",
        "pw_uid": number,
        "pw_gid": number,
        "grouplist": None,
        "sid": None,
        "source": "LOCAL",
        "local": True,
        "attributes": {},
        "two_factor_config": None,
        "privilege": {
            "roles": {"$set": sorted(principal.roles)},
            "allowlist": [
                {"method": method, "resource": resource}
                for method, resource in (principal.allowlist if principal.allowlist is not None else (("*", "*"),))
            ],
            "web_shell": True,
            "webui_access": True,
        },
        "account_attributes": ["LOCAL", "SYS_ADMIN"] if "FULL_ADMIN" in principal.roles else ["LOCAL"],
    }


def _me(call: Call) -> dict[str, Any]:
    if call.principal is None:
        raise NotAuthenticated
    return user_info_of(call.principal)


def _sessions(call: Call) -> list[dict[str, Any]]:
    if call.sessions is None:
        return []
    current = call.connection.standing.session if call.connection is not None else None
    return [_session(session, call, current) for session in call.sessions.open.values()]


def _session(session: Session, call: Call, current: Session | None) -> dict[str, Any]:
    principal = session.principal
    data: dict[str, Any] = {"username": principal.username}
    if principal.key_name is not None:
        data["api_key"] = {"id": session.key_id, "name": principal.key_name}
    return call.dialect.shaped(
        "auth.sessions",
        {
            "id": session.id,
            "current": session is current,
            "internal": False,
            "origin": session.peer.address,
            "credentials": _CREDENTIALS.get(principal.mechanism, principal.mechanism),
            "credentials_data": data,
            "created_at": date(session.created_at_ns),
            "secure_transport": session.peer.secure,
        },
    )


def _terminate_session(call: Call) -> bool:
    sessions = connection_of(call).house.sessions
    session = sessions.open.get(call.arguments["id"])
    if session is None:
        return False
    session.peer.terminate()
    return True


def _terminate_others(call: Call) -> bool:
    connection = connection_of(call)
    for session in list(connection.house.sessions.open.values()):
        if session is not connection.standing.session:
            session.peer.terminate()
    return True


def _generate_token(call: Call) -> str:
    appliance, arguments = call.appliance, call.arguments
    username = call.principal.username if call.principal is not None else "root"
    ttl_s = arguments["ttl"] if arguments["ttl"] is not None else 600
    single_use = bool(arguments.get("single_use", False))
    origin = call.address if arguments["match_origin"] else None
    return appliance.accounts.mint_token(username, ttl_s, appliance.now_ns(), single_use=single_use, origin=origin)


def _mechanism_choices(call: Call) -> list[str]:
    if call.principal is None and call.appliance.release.dialect.has("mechanism_choices_broken"):
        trace = f"Traceback (most recent call last):\nAttributeError: {_BROKEN}\n"
        raise MethodBroke("AttributeError", _BROKEN, trace)
    choices = ["API_KEY_PLAIN", "PASSWORD_PLAIN", "TOKEN_PLAIN", "OTP_TOKEN"]
    return [*choices, "SCRAM"] if call.dialect.has("login_scram") else choices


_TTL: Final = Annotated[int, Field(ge=_SHORTEST_TTL_S, le=_LONGEST_TTL_S)] | None

METHODS: Final = (
    Method(
        "auth.login_ex",
        "Log in by any mechanism",
        _login_ex,
        (Param("login_data", _Plain, until="26.0"), Param("login_data", _All, since="26.0")),
        access=Access.OPEN,
    ),
    Method(
        "auth.login",
        "Log in with a password",
        _login,
        (Param("username", str), Param("password", str), Param("otp_token", str | None, None)),
        access=Access.OPEN,
    ),
    Method(
        "auth.login_with_api_key",
        "Log in with an API key",
        _login_with_api_key,
        (Param("api_key", str),),
        access=Access.OPEN,
    ),
    Method(
        "auth.login_with_token", "Log in with a token", _login_with_token, (Param("token", str),), access=Access.OPEN
    ),
    Method("auth.logout", "Log out; the connection stays", _logout, access=Access.LOGIN),
    Method("auth.me", "Who is logged in", _me, access=Access.LOGIN),
    Method("auth.mechanism_choices", "How one may log in", _mechanism_choices, access=Access.OPEN),
    Method("auth.sessions", "Who is logged in where", _sessions, filterable=True, access=Access.READ),
    Method(
        "auth.terminate_session",
        "Log somebody out and close his connection",
        _terminate_session,
        (Param("id", str),),
        access=Access.WRITE,
    ),
    Method("auth.terminate_other_sessions", "Log everybody else out", _terminate_others, access=Access.WRITE),
    Method(
        "auth.generate_token",
        "A token to log in with",
        _generate_token,
        (
            Param("ttl", _TTL, 600),
            Param("attrs", dict[str, Any], {}),
            Param("match_origin", bool, True),
            Param("single_use", bool, False, since="25.04.0"),
        ),
        access=Access.LOGIN,
    ),
)
