"""The pytest fixtures serve real NAS to sync and async tests alike, of any release, and always tear them down."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from mock_truenas.appliance.releases import RELEASES
from mock_truenas.testing import ServedNas, Servers

Make = Callable[..., ServedNas]
AT = datetime(2026, 2, 9, tzinfo=UTC)


def get(nas: ServedNas, path: str, key: str | None = None) -> tuple[int, bytes]:
    """A request with the standard library alone."""
    headers = nas.headers if key is None else {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(nas.url + path, headers=headers)  # noqa: S310  # http and https only
    try:
        with urllib.request.urlopen(request, timeout=20, context=nas.ssl_context) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_synchronous_client_reads_it(mock_truenas: ServedNas) -> None:
    status, body = get(mock_truenas, "/api/v2.0/pool")
    assert (status, [pool["name"] for pool in json.loads(body)]) == (200, ["tank", "fast", "backup"])
    assert mock_truenas.release == "25.10"
    assert [entry.path for entry in mock_truenas.journal] == ["/api/v2.0/pool"]


async def _ask(nas: ServedNas, path: str) -> int:
    async with aiohttp.ClientSession(headers=nas.headers) as session, session.get(nas.url + path) as answer:
        await answer.read()
        return answer.status


def test_an_asynchronous_client_reads_it(mock_truenas: ServedNas) -> None:
    assert asyncio.run(_ask(mock_truenas, "/api/v2.0/system/info")) == 200


@pytest.mark.mock_truenas(release="24.10", fixture="small-office", tls=True)
def test_a_mark_says_what_it_is(mock_truenas: ServedNas, tmp_path: Path) -> None:
    assert mock_truenas.url.startswith("https://127.0.0.1:")
    assert mock_truenas.ws_url.startswith("wss://127.0.0.1:")
    assert json.loads(get(mock_truenas, "/api/v2.0/system/info")[1])["hostname"] == "office-nas"
    trusting = ssl.create_default_context(cafile=mock_truenas.write_ca(tmp_path / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", mock_truenas.port), 10) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_can_be_made(make_mock_truenas: Make, release: str) -> None:
    nas = make_mock_truenas(release=release)
    assert nas.release == release
    status, body = get(nas, "/ui/")
    assert status in (200, 404)
    assert nas.verify.called(path="/ui/", exactly=1), body


def test_several_have_keys_and_state_of_their_own(make_mock_truenas: Make) -> None:
    first, second = make_mock_truenas(), make_mock_truenas(seed=2)
    assert (first.name, second.name) == ("nas-1", "nas-2")
    assert get(second, "/api/v2.0/pool", first.api_key)[0] == 401
    first.appliance.change_pool("tank", status="DEGRADED")
    assert [json.loads(get(nas, "/api/v2.0/pool")[1])[0]["status"] for nas in (first, second)] == ["DEGRADED", "ONLINE"]


async def _log_in(nas: ServedNas, url: str) -> list[str]:
    """A wrong key, the right one, a call, the password."""
    told = []
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        key = {"mechanism": "API_KEY_PLAIN", "username": nas.username, "api_key": nas.api_key}
        password = {"mechanism": "PASSWORD_PLAIN", "username": nas.username, "password": nas.password}
        for number, (method, params) in enumerate(
            [
                ("auth.login_with_api_key", ["1-" + "x" * 64]),
                ("auth.login_ex", [key]),
                ("system.info", []),
                ("auth.login_ex", [password]),
            ]
        ):
            await socket.send_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            told.append((await socket.receive()).data)
    return told


@pytest.mark.mock_truenas(release="25.04")
def test_what_a_client_did_on_a_websocket_can_be_asked(mock_truenas: ServedNas) -> None:
    told = asyncio.run(_log_in(mock_truenas, mock_truenas.ws_url))
    assert ['"SUCCESS"' in each for each in told] == [False, True, False, True]
    verify = mock_truenas.verify
    assert verify.logged_in_exactly(2)
    assert verify.logged_in_exactly(1).observed == "2 times, 1 refused"
    assert verify.no_more_than_open_connections(1)
    assert verify.called_in_order("auth.login_with_api_key", "auth.login_ex", "system.info")
    assert verify.called(call="system.info", face="rpc", user=mock_truenas.username, exactly=1)
    assert mock_truenas.api_key not in str(mock_truenas.journal) + verify.logged_in_exactly(1).message()
    assert mock_truenas.password not in str(mock_truenas.journal)


def test_a_fault_holds_as_long_as_its_block(mock_truenas: ServedNas) -> None:
    with mock_truenas.inject("http.status", status=502, path="/pool") as gateway:
        assert get(mock_truenas, "/api/v2.0/pool")[0] == 502
        assert gateway.met == 1
    assert get(mock_truenas, "/api/v2.0/pool")[0] == 200
    assert [entry.faults for entry in mock_truenas.journal] == [(gateway.id,), ()]


def test_a_door_that_was_closed_is_open_when_the_block_ends(mock_truenas: ServedNas) -> None:
    with mock_truenas.inject("appliance.down"), pytest.raises(urllib.error.URLError, match="refused"):
        get(mock_truenas, "/api/v2.0/pool")
    assert get(mock_truenas, "/api/v2.0/pool")[0] == 200


def test_a_bad_fault_is_refused_with_the_way_out(mock_truenas: ServedNas) -> None:
    with pytest.raises(ValueError, match=r"kind http.statu: unknown; did you mean http.status\? available: "):
        mock_truenas.inject("http.statu")
    with pytest.raises(ValueError, match=r"parameters.status 200: Input should be greater than or equal to 400"):
        mock_truenas.inject("http.status", status=200)
    with pytest.raises(ValueError, match=r"parameters.status is missing: Field required"):
        mock_truenas.inject("http.status")
    assert mock_truenas.run(lambda unit: unit.faults()) == ()


def test_its_clock_stands_still_until_it_is_moved(make_mock_truenas: Make) -> None:
    nas = make_mock_truenas(at=AT)
    first, second = (json.loads(get(nas, "/api/v2.0/system/info")[1]) for _ in range(2))
    assert first["datetime"] == second["datetime"] == {"$date": round(AT.timestamp() * 1000)}
    nas.clock.advance(3600 * 10**9)
    later = json.loads(get(nas, "/api/v2.0/system/info")[1])
    assert later["uptime_seconds"] == pytest.approx(first["uptime_seconds"] + 3600)
    with pytest.raises(ValueError, match="needs a time zone"):
        make_mock_truenas(at=AT.replace(tzinfo=None))


def test_reset_is_as_at_the_start_with_the_same_key(make_mock_truenas: Make) -> None:
    nas = make_mock_truenas(at=AT)
    before = get(nas, "/api/v2.0/pool")[1]
    nas.appliance.change_pool("tank", status="DEGRADED", status_code="FAULTED_DEV_R")
    nas.inject("auth.revoke_key")
    nas.clock.advance(10**12)
    assert get(nas, "/api/v2.0/pool")[0] == 401
    nas.reset()
    assert get(nas, "/api/v2.0/pool") == (200, before)
    assert len(nas.journal) == 1
    assert nas.verify.called(path="/pool", exactly=1)


def test_nothing_of_it_is_left_after_the_test() -> None:
    threads = threading.active_count()
    with Servers() as servers:
        nas = servers.make()
        address = (nas.host, nas.port)
        silent = nas.inject("http.silence")
        with socket.create_connection(address, 10) as waiting:
            waiting.sendall(b"GET /api/v2.0/pool HTTP/1.1\r\nHost: nas\r\n\r\n")
            while not silent.met:
                pass
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 10)
    with pytest.raises(RuntimeError, match="was stopped with the test that made it"):
        nas.reset()


def test_unknown_things_are_refused_by_name(make_mock_truenas: Make) -> None:
    with pytest.raises(ValueError, match=r"available: 24.04, 24.10"):
        make_mock_truenas(release="11")
    with pytest.raises(ValueError, match="available: baseline"):
        make_mock_truenas(fixture="big")
    with pytest.raises(ValueError, match="rate: no such switch; available: login_rate_limit"):
        make_mock_truenas(behaviour={"rate": True})


ALONE = """
import sys

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pulse_sim":
            raise ImportError("pulse_sim is not here")

sys.meta_path.insert(0, Refuses())

def pytest_sessionstart(session):
    assert "pytest_asyncio" not in sys.modules
    assert not [name for name in sys.modules if name in ("aiohttp", "mock_truenas.server", "pydantic")]
"""
TESTS = """
import urllib.request

import pytest


def get(nas):
    return urllib.request.urlopen(urllib.request.Request(nas.url + "/api/v2.0/pool", headers=nas.headers), timeout=20)


def test_it_serves(mock_truenas):
    with get(mock_truenas) as answer:
        assert answer.status == 200


def test_it_shows_what_it_was_asked_when_a_test_fails(mock_truenas):
    with get(mock_truenas):
        raise AssertionError("on purpose")


@pytest.mark.mock_truenas("25.10")
def test_a_mark_with_a_bare_value_is_refused(mock_truenas):
    pass
"""


@pytest.mark.system
def test_plugin_loads_little_and_needs_neither_pulse_sim_nor_pytest_asyncio(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(ALONE)
    (tmp_path / "test_alone.py").write_text(TESTS)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:asyncio", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, "--strict-markers", "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 failed, 1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "nas-1 was asked" in done.stdout
    assert "rest GET /api/v2.0/pool 200 complete" in done.stdout
    assert "the mark mock_truenas takes named arguments only" in done.stdout
