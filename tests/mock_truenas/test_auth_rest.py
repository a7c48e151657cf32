"""The Authorization header of REST: the same accounts as on the sockets, in the words of truenas-api 2.4."""

import base64

import pytest

from tests.mock_truenas.frames_wire import SocketBox, socket_box
from tests.mock_truenas.wire import Reply

VERSION = "/api/v2.0/system/version"


async def ask(served: SocketBox, authorization: str) -> Reply:
    return await served.ask(VERSION, headers={"Authorization": authorization})


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.asyncio
async def test_token_opens_rest_until_it_is_over() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        token = await wire.call("auth.generate_token", 60)
        assert (await ask(served, f"Token {token}")).status == 200
        served.clock.at_ns += 60_000_000_000
        for text in (token, "wrong"):
            reply = await ask(served, f"Token {text}")
            assert (reply.status, reply.body) == (403, b"Invalid token")


@pytest.mark.asyncio
async def test_password_opens_rest_unless_its_user_has_a_second_factor() -> None:
    async with socket_box() as served:
        password = served.appliance.mint_password("admin")
        assert (await ask(served, basic(f"admin:{password}"))).status == 200
        served.appliance.accounts.mint_otp_secret("admin")
        reply = await ask(served, basic(f"admin:{password}"))
        assert (reply.status, reply.body) == (401, b"HTTP Basic Auth is unavailable when OTP is enabled")
        reply = await ask(served, basic("nobody:wrong"))
        assert (reply.status, reply.body) == (401, b"Bad username or password")


@pytest.mark.parametrize(
    ("release", "status", "body"),
    [
        ("24.10", 401, b"Invalid API key"),
        ("25.04", 500, b"500 Internal Server Error\n\nServer got itself in trouble"),
        ("25.10", 500, b"500 Internal Server Error\n\nServer got itself in trouble"),
    ],
)
@pytest.mark.asyncio
async def test_deleted_key_breaks_rest_where_it_does(release: str, status: int, body: bytes) -> None:
    async with socket_box(release) as served:
        served.appliance.accounts.delete_key(1)
        reply = await ask(served, f"Bearer {served.key}")
        assert (reply.status, reply.body) == (status, body)
        reply = await ask(served, "Bearer no-number")
        assert (reply.status, reply.body) == (401, b"Invalid API key")
