"""SCRAM-SHA-512 from the side of a client written from RFC 5802, against the exchange and against a served 26.0."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.api.auth import scram
from mock_truenas.appliance.scram import derive
from tests.mock_truenas.frames_wire import Wire, socket_box

NONCE = "rOprNGfwEbeRWgbNEkqO"
END_POINT = hashlib.sha256(b"a certificate").digest()


class Client:
    """The other side of a proof."""

    def __init__(self, user: str, secret: str, binding: bytes | None = None, nonce: str = NONCE) -> None:
        self.header = "n,," if binding is None else "p=tls-server-end-point,,"
        self.binding = binding or b""
        self.secret = secret
        self.bare = f"n={user},r={nonce}"
        self.first = self.header + self.bare
        self.expected = ""

    def final(self, server_first: str) -> str:
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        salt, rounds = base64.b64decode(parts["s"]), int(parts["i"])
        salted = hashlib.pbkdf2_hmac("sha512", self.secret.encode(), salt, rounds)
        client_key = hmac.digest(salted, b"Client Key", "sha512")
        stored = hashlib.sha512(client_key).digest()
        bound = base64.b64encode(self.header.encode() + self.binding).decode()
        unproven = f"c={bound},r={parts['r']}"
        told = f"{self.bare},{server_first},{unproven}".encode()
        signature = hmac.digest(stored, told, "sha512")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", "sha512")
        self.expected = "v=" + base64.b64encode(hmac.digest(server_key, told, "sha512")).decode()
        return f"{unproven},p={base64.b64encode(proof).decode()}"


def exchange(client: Client) -> scram.Exchange:
    return scram.Exchange(scram.read_first(client.first), derive("right", b"salt", 2), "server")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1, max_size=80))
def test_client_that_knows_the_secret_gets_the_server_s_proof(nonce: str) -> None:
    client = Client("admin:10", "right", nonce=nonce)
    proof = exchange(client)
    assert proof.server_first.startswith(f"r={nonce}server,s=")
    assert proof.finish(client.final(proof.server_first)) == client.expected


def test_client_that_does_not_know_it_gets_nothing() -> None:
    client = Client("admin:10", "wrong")
    proof = exchange(client)
    assert proof.finish(client.final(proof.server_first)) is None


def test_channel_binding_is_taken_and_its_absence_noticed() -> None:
    bound = Client("admin:10", "right", END_POINT)
    proof = exchange(bound)
    assert proof.finish(bound.final(proof.server_first)) == bound.expected
    bound.binding = b""
    assert proof.finish(bound.final(proof.server_first)) is None
    bound.header = "n,,"
    assert proof.finish(bound.final(proof.server_first)) is None


@given(st.text(max_size=60))
def test_no_text_that_is_not_the_client_s_last_message_is_a_proof(text: str) -> None:
    assert exchange(Client("admin:10", "right")).finish(text) is None


@given(st.text(max_size=60))
def test_what_is_no_first_message_is_refused_with_a_value_error(text: str) -> None:
    try:
        first = scram.read_first(text)
    except ValueError:
        return
    assert text == first.header + first.bare


async def prove(wire: Wire, client: Client, **options: bool) -> tuple[Any, Any]:
    first = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": client.first}
    told = await wire.call("auth.login_ex", first)
    if told.get("response_type") != "SCRAM_RESPONSE":
        return told, None
    final = {
        "mechanism": "SCRAM",
        "scram_type": "CLIENT_FINAL_MESSAGE",
        "rfc_str": client.final(told["rfc_str"]),
        "login_options": options,
    }
    return told, await wire.call("auth.login_ex", final)


@pytest.mark.asyncio
async def test_login_by_scram_in_the_forms_of_26() -> None:
    async with socket_box("26.0") as served, served.wire() as wire:
        number, _, secret = served.key.partition("-")
        client = Client(f"truenas_admin:{number}", secret)
        first, last = await prove(wire, client, user_info=True)
        assert list(first) == ["response_type", "scram_type", "rfc_str", "user_info"]
        assert (first["scram_type"], first["user_info"]) == ("SERVER_FIRST_RESPONSE", None)
        assert first["rfc_str"].startswith(f"r={NONCE}")
        assert first["rfc_str"].endswith(",i=500000")
        assert (last["response_type"], last["scram_type"]) == ("SCRAM_RESPONSE", "SERVER_FINAL_RESPONSE")
        assert last["rfc_str"] == client.expected
        assert last["user_info"]["pw_name"] == "truenas_admin"
        assert isinstance(await wire.call("system.version"), str)


@pytest.mark.asyncio
async def test_wrong_secret_unknown_key_and_foreign_owner_are_auth_err() -> None:
    async with socket_box("26.0") as served, served.wire() as wire:
        refused = {"response_type": "AUTH_ERR"}
        number, _, secret = served.key.partition("-")
        assert (await prove(wire, Client(f"truenas_admin:{number}", "x" * 64)))[1] == refused
        for user in (f"truenas_admin:{int(number) + 1}", f"somebody:{number}"):
            assert (await prove(wire, Client(user, secret)))[0] == refused
        served.appliance.find_key(int(number)).expires_at_ns = served.clock.at_ns
        assert (await prove(wire, Client(f"truenas_admin:{number}", secret)))[0] == {"response_type": "EXPIRED"}
        final = {"mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE", "rfc_str": "c=biws,r=x,p=eA=="}
        assert (await wire.call("auth.login_ex", final))["data"]["error"] == 22
        assert (await wire.call("system.version"))["data"]["error"] == 207
