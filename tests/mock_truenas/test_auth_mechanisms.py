"""Every way to log in on a WebSocket, and what each release answers (truenas-api 5.3). No login here waits."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from mock_truenas.appliance.otp import one_time_password
from mock_truenas.behaviour import Behaviour
from mock_truenas.certificate import self_signed_context
from tests.mock_truenas.frames_wire import NO_WAITING, SocketBox, Wire, open_wire, socket_box
from tests.mock_truenas.wire import START_NS, lenient, serving

BARE = {"user_info": False}
SUCCESS = {"response_type": "SUCCESS", "user_info": None, "authenticator": "LEVEL_1"}
OWNER = "truenas_admin"
HOUR_NS = 3_600_000_000_000
NEW = ("25.04", "25.10", "26.0")


async def log_in(wire: Wire, mechanism: str, options: dict[str, Any] | None = None, **data: str) -> Any:
    return await wire.call("auth.login_ex", {"mechanism": mechanism, **data, "login_options": options or BARE})


async def with_key(wire: Wire, served: SocketBox, owner: str = OWNER) -> Any:
    return await log_in(wire, "API_KEY_PLAIN", username=owner, api_key=served.key)


async def is_in(wire: Wire) -> bool:
    return isinstance(await wire.call("system.version"), str)


@pytest.mark.parametrize("release", NEW)
@pytest.mark.asyncio
async def test_key_and_password_log_in_and_out(release: str) -> None:
    success = {**SUCCESS, "reconnect_token": None} if release == "26.0" else SUCCESS
    async with socket_box(release) as served, served.wire() as wire:
        assert not await is_in(wire)
        assert await with_key(wire, served) == success
        assert await is_in(wire)
        assert await wire.call("auth.logout") is True
        assert not await is_in(wire)
        password = served.appliance.mint_password("admin")
        assert await log_in(wire, "PASSWORD_PLAIN", username="admin", password=password) == success
        assert (await wire.call("auth.me"))["pw_name"] == "admin"


@pytest.mark.asyncio
async def test_user_info_is_told_unless_it_is_not_wanted() -> None:
    async with socket_box() as served, served.wire() as wire:
        told = await log_in(wire, "API_KEY_PLAIN", {"user_info": True}, username=OWNER, api_key=served.key)
        assert list(told) == ["response_type", "user_info", "authenticator"]
        assert told["user_info"]["pw_name"] == OWNER
        assert told["user_info"] == await wire.call("auth.me")


@pytest.mark.parametrize("release", NEW)
@pytest.mark.asyncio
async def test_wrong_user_wrong_key_and_wrong_owner_are_auth_err(release: str) -> None:
    async with socket_box(release) as served, served.wire() as wire:
        refused = {"response_type": "AUTH_ERR"}
        assert await with_key(wire, served, owner="somebody") == refused
        for key in ("", "no-key", "1-" + "x" * 64, "99-" + "x" * 64, "x" * 1024):
            assert await log_in(wire, "API_KEY_PLAIN", username=OWNER, api_key=key) == refused
        assert await log_in(wire, "PASSWORD_PLAIN", username="nobody", password="wrong") == refused
        assert await log_in(wire, "TOKEN_PLAIN", token="wrong") == refused
        assert not await is_in(wire)


@pytest.mark.asyncio
async def test_expired_key_is_expired_and_a_revoked_one_unknown() -> None:
    async with socket_box() as served, served.wire() as wire:
        key = served.appliance.find_key(1)
        key.expires_at_ns = served.clock.at_ns + HOUR_NS
        assert await with_key(wire, served) == SUCCESS
        served.clock.at_ns += HOUR_NS
        assert await is_in(wire)
        assert await with_key(wire, served) == {"response_type": "EXPIRED"}
        key.expires_at_ns = None
        served.appliance.revoke("pulse")
        assert await with_key(wire, served) == {"response_type": "AUTH_ERR"}
        assert await wire.call("auth.login_with_api_key", served.key) is False


@pytest.mark.asyncio
async def test_second_factor_is_asked_for_and_taken_once_right_after_the_password() -> None:
    async with socket_box() as served, served.wire() as wire:
        password = served.appliance.mint_password("admin")
        secret = served.appliance.accounts.mint_otp_secret("admin")
        asked = {"response_type": "OTP_REQUIRED", "username": "admin"}
        right = one_time_password(secret, served.clock.at_ns)
        early = await log_in(wire, "OTP_TOKEN", otp_token=right)
        assert (early["code"], early["data"]["error"]) == (-32001, 22)
        assert await log_in(wire, "PASSWORD_PLAIN", username="admin", password=password) == asked
        assert not await is_in(wire)
        assert await log_in(wire, "OTP_TOKEN", otp_token="000000") == {"response_type": "AUTH_ERR"}
        assert (await log_in(wire, "OTP_TOKEN", otp_token=right))["data"]["error"] == 22
        assert await log_in(wire, "PASSWORD_PLAIN", username="admin", password=password) == asked
        assert (await with_key(wire, served))["data"]["error"] == 22
        assert await log_in(wire, "PASSWORD_PLAIN", username="admin", password=password) == asked
        assert await log_in(wire, "OTP_TOKEN", otp_token=right) == SUCCESS
        assert await is_in(wire)
        assert await wire.call("auth.login", "admin", password) is False
        assert await wire.call("auth.login", "admin", password, right) is True


@pytest.mark.parametrize("release", NEW)
@pytest.mark.asyncio
async def test_token_logs_in_until_its_time_is_over_and_one_for_single_use_once(release: str) -> None:
    async with socket_box(release) as served, served.wire(key=served.key) as wire:
        token = await wire.call("auth.generate_token", 600)
        once = await wire.call("auth.generate_token", 600, {}, True, True)
        async with served.wire() as other:
            assert await other.call("auth.login_with_token", token) is True
            assert (await log_in(other, "TOKEN_PLAIN", token=token))["response_type"] == "SUCCESS"
            assert await other.call("auth.login_with_token", once) is True
            assert await other.call("auth.login_with_token", once) is False
            served.clock.at_ns += 600 * 1_000_000_000
            assert await other.call("auth.login_with_token", token) is False


@pytest.mark.parametrize("release", ["25.04", "25.10"])
@pytest.mark.asyncio
async def test_mechanisms_that_a_release_does_not_know_are_invalid_params(release: str) -> None:
    async with socket_box(release) as served, served.wire() as wire:
        for data in (
            {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": ""},
            {"mechanism": "MAGIC"},
            {},
        ):
            error = await wire.call("auth.login_ex", data)
            assert (error["code"], error["message"]) == (-32602, "Invalid params")


@pytest.mark.parametrize(
    ("release", "choices"),
    [("25.04.1", 4), ("25.04", None), ("25.10", None), ("26.0", 5)],
)
@pytest.mark.asyncio
async def test_mechanism_choices_break_without_a_login_where_they_do(release: str, choices: int | None) -> None:
    async with socket_box(release) as served, served.wire() as wire:
        told = await wire.call("auth.mechanism_choices")
        if choices is None:
            assert (told["code"], told["data"]["error"]) == (-32001, 22)
            assert told["data"]["reason"] == "'NoneType' object has no attribute 'may_create_auth_token'"
            await with_key(wire, served)
            told = await wire.call("auth.mechanism_choices")
            choices = 4
        assert len(told) == choices


@pytest.mark.parametrize(("release", "dies"), [("24.10", False), ("25.04", True), ("25.10", True), ("26.0", True)])
@pytest.mark.asyncio
async def test_key_shown_over_plain_websocket_dies_where_that_is_switched_on(release: str, dies: bool) -> None:
    behaviour = replace(NO_WAITING, revoke_plaintext_keys=True)
    async with socket_box(release, behaviour) as served, served.wire("/websocket") as wire:
        assert await wire.old_call("auth.login_with_api_key", served.key) is not dies
        served.clock.at_ns += HOUR_NS
        served.appliance.evolve()
        raised = [alert.klass for alert in served.appliance.state.alerts.values()]
        assert ("ApiKeyRevoked" in raised) is dies
        assert (await wire.old_call("auth.login_with_api_key", served.key)) is not dies


@pytest.mark.asyncio
async def test_login_that_kills_the_key_says_expired_and_later_ones_auth_err() -> None:
    behaviour = replace(NO_WAITING, revoke_plaintext_keys=True)
    async with socket_box(behaviour=behaviour) as served, served.wire() as wire:
        assert await with_key(wire, served) == {"response_type": "EXPIRED"}
        assert not await is_in(wire)
        assert await with_key(wire, served) == {"response_type": "AUTH_ERR"}
        reply = await served.ask("/api/v2.0/system/version")
        assert (reply.status, reply.body) == (401, b"Invalid API key")


@pytest.mark.asyncio
async def test_key_shown_over_tls_lives_and_its_session_is_known_to_be_secure() -> None:
    context = self_signed_context("localhost", START_NS / 1e9)
    behaviour = replace(NO_WAITING, revoke_plaintext_keys=True)
    async with serving(ssl_context=context, release="25.10", behaviour=behaviour) as served:
        wire = await open_wire("127.0.0.1", served.nas.port, "/api/current", lenient())
        assert await wire.call("auth.login_with_api_key", served.key) is True
        assert [row["secure_transport"] for row in await wire.call("auth.sessions")] == [True]
        wire.end()


@pytest.mark.parametrize(("release", "answer"), [("25.10", "AUTH_ERR"), ("26.0", "DENIED")])
@pytest.mark.asyncio
async def test_user_without_any_role_stays_outside(release: str, answer: str) -> None:
    async with socket_box(release) as served, served.wire() as wire:
        password = served.appliance.mint_password("guest")
        served.appliance.accounts.users["guest"].roles = frozenset()
        told = await log_in(wire, "PASSWORD_PLAIN", username="guest", password=password)
        assert told == {"response_type": answer}
        assert not await is_in(wire)


@pytest.mark.asyncio
async def test_roles_decide_what_may_be_called_and_heard() -> None:
    async with socket_box() as served, served.wire() as wire:
        password = served.appliance.mint_password("viewer")
        served.appliance.accounts.users["viewer"].roles = frozenset({"READONLY_ADMIN"})
        await log_in(wire, "PASSWORD_PLAIN", username="viewer", password=password)
        assert isinstance(await wire.call("pool.query"), list)
        refused = await wire.call("auth.terminate_session", "x")
        assert (refused["code"], refused["data"]["error"]) == (-32001, 13)
        assert refused["data"]["reason"] == "[EACCES] Not authorized"
        assert isinstance(await wire.call("core.subscribe", "pool.query"), str)
        for name in ("*", "no.such"):
            assert (await wire.call("core.subscribe", name))["data"]["error"] == 13


@pytest.mark.asyncio
async def test_allowlist_of_a_key_of_24_10_counts_on_the_socket_too() -> None:
    async with socket_box("24.10") as served:
        key = served.appliance.mint_api_key("small", allowlist=(("CALL", "system.*"), ("GET", "/pool")))
        async with served.wire("/websocket", key=key) as wire:
            assert isinstance(await wire.old_call("system.version"), str)
            assert (await wire.old_call("pool.query"))["error"] == 13


@pytest.mark.asyncio
async def test_session_outlives_its_key_unless_that_is_switched_off() -> None:
    for ends in (False, True):
        behaviour = Behaviour(failed_login_delay=False, revocation_ends_sessions=ends)
        async with socket_box(behaviour=behaviour) as served, served.wire(key=served.key) as wire:
            served.appliance.revoke("pulse")
            assert await is_in(wire) is not ends
            served.appliance.restore("pulse")
            assert await is_in(wire) is not ends


@pytest.mark.asyncio
async def test_terminated_session_s_connection_is_closed_with_1000() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire, served.wire(key=served.key) as other:
        rows = await wire.call("auth.sessions", [["current", "=", False]])
        assert [(row["credentials"], row["origin"], row["secure_transport"]) for row in rows] == [
            ("API_KEY", "127.0.0.1", False)
        ]
        assert await wire.call("auth.terminate_session", rows[0]["id"]) is True
        assert (await other.next()).close == (1000, "")
        assert await wire.call("auth.terminate_session", rows[0]["id"]) is False
        assert len(await wire.call("auth.sessions")) == 1


@pytest.mark.asyncio
async def test_journal_knows_a_login_by_the_fingerprint_of_the_key_that_rest_has_too() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await served.ask("/api/v2.0/system/version")
        assert await is_in(wire)
        known = {entry.credential for entry in served.journal.entries if entry.kind in ("call", "request")}
        assert known == {hashlib.sha256(served.key.encode()).hexdigest()[:12]}
