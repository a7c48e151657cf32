"""The control API changes what a NAS is and does, says exactly what is wrong with a request, and lets no page in."""

import asyncio
import random
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from mock_truenas.control.access import Guard, write_token
from mock_truenas.control.document import document
from mock_truenas.control.endpoints import ENDPOINTS
from mock_truenas.control.server import Control
from mock_truenas.fleet import Fleet, Plan, Unit, plans
from tests.mock_truenas.wire import START_NS, SetClock

pytestmark = pytest.mark.asyncio
ONE = "/v1/appliances/nas-1"


@dataclass
class Controlled:
    """A fleet with its control API, a client that has the token, and the clock below."""

    fleet: Fleet
    control: Control
    session: aiohttp.ClientSession
    clock: SetClock

    @property
    def unit(self) -> Unit:
        return self.fleet["nas-1"]

    async def ask(self, verb: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        if body is not None:
            options["json"] = body
        async with self.session.request(verb, self.control.url + path, **options) as answer:
            return answer.status, await answer.json()

    async def client(self, path: str) -> tuple[int, Any]:
        """What a client of the NAS gets."""
        headers = {"Authorization": f"Bearer {self.unit.api_key}"}
        async with self.session.get(f"{self.unit.url}/api/v2.0{path}", headers=headers) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status == 200 else await answer.text()


@asynccontextmanager
async def controlled(count: int = 1, **plan: Any) -> AsyncIterator[Controlled]:
    clock = SetClock()
    entropy = random.Random("control").randbytes
    fleet = Fleet(
        {
            name: Unit(name, each, clock=clock, entropy=entropy)
            for name, each in plans(Plan(**{"release": "24.10", **plan}), count).items()
        }
    )
    control = Control(fleet, entropy=entropy)
    await fleet.start("127.0.0.1")
    await control.start("127.0.0.1", 0)
    try:
        headers = {"Authorization": f"Bearer {control.token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(20)) as session:
            yield Controlled(fleet, control, session, clock)
    finally:
        await control.stop()
        await fleet.stop()


async def test_it_tells_which_nas_there_are() -> None:
    async with controlled(2) as it:
        status, told = await it.ask("GET", "/v1/appliances")
        assert status == 200
        assert [(each["name"], each["url"]) for each in told] == [(unit.name, unit.url) for unit in it.fleet.values()]
        assert told[0]["clock"] == {"now": "2026-02-09T00:00:00.000000Z", "now_ns": START_NS, "state": "running"}
        status, told = await it.ask("GET", "/v1/appliances/nas-3")
        assert (status, told["place"], told["value"], told["allowed"]) == (
            404,
            "appliance",
            "nas-3",
            ["nas-1", "nas-2"],
        )


async def test_a_fault_begins_is_counted_and_ends() -> None:
    async with controlled() as it:
        order = {"kind": "http.status", "parameters": {"status": 502, "path": "/pool"}, "id": "gateway"}
        status, told = await it.ask("POST", f"{ONE}/faults", order)
        assert (status, told["id"], told["parameters"]["status"]) == (200, "gateway", 502)
        assert (await it.client("/pool"))[0] == 502
        status, told = await it.ask("GET", f"{ONE}/faults")
        assert [(each["id"], each["met"]) for each in told] == [("gateway", 1)]
        assert await it.ask("DELETE", f"{ONE}/faults/gateway") == (200, None)
        assert (await it.client("/pool"))[0] == 200
        status, told = await it.ask("DELETE", f"{ONE}/faults/gateway")
        assert (status, told["message"]) == (404, "fault gateway: unknown; available: none")


async def test_a_fault_with_an_end_heals_by_itself() -> None:
    async with controlled() as it:
        await it.ask("POST", f"{ONE}/faults", {"kind": "http.status", "parameters": {"status": 503}, "for": "20ms"})
        async with asyncio.timeout(10):
            while it.unit.faults():  # noqa: ASYNC110  # nobody is told of a fault that healed
                await asyncio.sleep(0.005)
        assert (await it.client("/pool"))[0] == 200


async def test_clearing_all_opens_a_closed_door() -> None:
    async with controlled() as it:
        for kind in ("appliance.down", "auth.revoke_key"):
            assert (await it.ask("POST", f"{ONE}/faults", {"kind": kind}))[0] == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await it.client("/pool")
        assert await it.ask("DELETE", f"{ONE}/faults") == (200, {"cleared": ["appliance.down-1", "auth.revoke_key-2"]})
        assert (await it.client("/pool"))[0] == 200


@pytest.mark.parametrize(
    ("order", "place", "message"),
    [
        ({"kind": "http.statu"}, "kind", "unknown; did you mean http.status? available: "),
        ({"kind": "http.status"}, "parameters.status", "Field required"),
        ({"kind": "http.status", "parameters": {"status": 200}}, "parameters.status", "greater than or equal to 400"),
        ({"kind": "http.delay", "parameters": {"delay": "1 hour"}}, "parameters.delay", "write it like 500ms, 15s"),
        ({"kind": "http.silence", "parameters": {"colour": 1}}, "parameters.colour", "Extra inputs are not permitted"),
        ({"kind": "http.silence", "for": "31d"}, "for", "is longer than 30d"),
        ({"kind": "http.silence", "for": 30}, "for", "write it as text with a unit"),
        ({"kind": "http.silence", "id": "a b"}, "id", "String should match pattern"),
        ({"kind": "http.silence", "until": "30s"}, "until", "Extra inputs are not permitted"),
        ({"kind": "tls.expired"}, "kind", "needs a NAS that serves TLS"),
        ({}, "kind", "Field required"),
    ],
)
async def test_a_bad_fault_is_refused_by_place_and_changes_nothing(order: Any, place: str, message: str) -> None:
    async with controlled() as it:
        status, told = await it.ask("POST", f"{ONE}/faults", order)
        assert (status, told["place"]) == (422, place)
        assert message in told["message"]
        assert "\n" not in told["message"]
        assert it.unit.faults() == ()


async def test_the_same_id_twice_is_refused() -> None:
    async with controlled() as it:
        order = {"kind": "http.silence", "id": "mine"}
        assert (await it.ask("POST", f"{ONE}/faults", order))[0] == 200
        status, told = await it.ask("POST", f"{ONE}/faults", order)
        assert (status, told["place"], told["value"]) == (422, "id", "mine")


async def test_state_is_told_and_changed_and_clients_see_it() -> None:
    async with controlled() as it:
        change = {"status": "DEGRADED", "status_code": "MISSING_DEV_R", "allocated": 1 << 40}
        status, told = await it.ask("PATCH", f"{ONE}/state/pools/tank", change)
        assert (status, told["status"], told["allocated"]) == (200, "DEGRADED", 1 << 40)
        assert (await it.client("/pool"))[1][0]["status"] == "DEGRADED"
        dataset = quote("tank/documents", safe="")
        assert (await it.ask("PATCH", f"{ONE}/state/datasets/{dataset}", {"readonly": True}))[0] == 200
        assert (await it.ask("PATCH", f"{ONE}/state/disks/sda", {"temperature": 61}))[0] == 200
        assert (await it.ask("PATCH", f"{ONE}/state/host", {"hostname": "renamed"}))[0] == 200
        status, told = await it.ask("GET", f"{ONE}/state")
        assert told["pools"]["tank"]["status"] == "DEGRADED"
        assert told["datasets"]["tank/documents"]["readonly"] is True
        assert told["host"]["hostname"] == "renamed"


async def test_alerts_are_raised_changed_and_cleared() -> None:
    async with controlled() as it:
        order = {"klass": "UPSOnBattery", "level": "WARNING", "text": "UPS %(name)s", "args": {"name": "apc"}}
        status, told = await it.ask("POST", f"{ONE}/state/alerts", order)
        assert status == 200
        alerts = (await it.client("/alert/list"))[1]
        assert [alert["formatted"] for alert in alerts if alert["klass"] == "UPSOnBattery"] == ["UPS apc"]
        path = f"{ONE}/state/alerts/{told['uuid']}"
        assert (await it.ask("PATCH", path, {"dismissed": True}))[1]["dismissed"] is True
        assert await it.ask("DELETE", path) == (200, None)
        assert (await it.ask("DELETE", path))[0] == 404


@pytest.mark.parametrize(
    ("path", "change", "place"),
    [
        ("pools/tank", {}, "body"),
        ("pools/tank", {"status": "BROKEN"}, "status"),
        ("pools/tank", {"name": "other"}, "name"),
        ("pools/tank", {"size": -1}, "size"),
        ("pools/tank", {"size": 1 << 64}, "size"),
        ("pools/tank", {"allocated": 1 << 60}, "allocated"),
        ("pools/tank", {"size": True}, "size"),
        ("pools/tank", {"topology": {"data": [{"type": "DISK"}]}}, "topology.data.0.name"),
        ("disks/sda", {"type": "TAPE"}, "type"),
        ("host", {"state": "ASLEEP"}, "state"),
    ],
)
async def test_a_bad_change_is_refused_by_place_and_changes_nothing(path: str, change: Any, place: str) -> None:
    async with controlled() as it:
        before = it.unit.appliance.base
        status, told = await it.ask("PATCH", f"{ONE}/state/{path}", change)
        assert (status, told["place"]) == (422, place), told
        assert it.unit.appliance.base is before


async def test_unknown_items_are_answered_with_those_there_are() -> None:
    async with controlled() as it:
        status, told = await it.ask("PATCH", f"{ONE}/state/pools/tonk", {"status": "ONLINE"})
        assert (status, told["place"], told["allowed"]) == (404, "pool", ["tank", "fast", "backup"])
        assert "did you mean tank?" in told["message"]
        status, told = await it.ask("POST", f"{ONE}/scrub", {"pool": "tonk"})
        assert (status, told["place"]) == (422, "pool")


async def test_rows_of_tables_are_added_changed_and_removed() -> None:
    async with controlled() as it:
        path = f"{ONE}/state/tables/service"
        first = next(iter(it.unit.appliance.state.tables["service"].values()))
        status, told = await it.ask("POST", path, {"service": "ftp2"})
        assert (status, told) == (200, {**first, "id": told["id"], "service": "ftp2"})
        one = f"{path}/{told['id']}"
        assert (await it.ask("PATCH", one, {"enable": True}))[1]["enable"] is True
        status, told = await it.ask("PATCH", one, {"enable": "yes"})
        assert (status, told["place"]) == (422, "enable")
        status, told = await it.ask("PATCH", one, {"enabled": True})
        assert (status, told["place"]) == (422, "field")
        assert "enable" in told["allowed"]
        assert await it.ask("DELETE", one) == (200, None)
        assert (await it.ask("PATCH", one, {"enable": True}))[0] == 404
        assert (await it.ask("POST", f"{ONE}/state/tables/nope", {}))[0] == 404
        status, told = await it.ask("POST", path, {"id": first["id"]})
        assert (status, told["place"]) == (422, "id")
        status, told = await it.ask("POST", f"{ONE}/state/tables/app", {"state": "STOPPED"})
        assert (status, told["message"]) == (422, "id is missing: rows of app are known by name; give one")


async def test_journal_is_read_in_parts_and_asked() -> None:
    async with controlled() as it:
        for path in ("/pool", "/disk", "/pool"):
            await it.client(path)
        status, told = await it.ask("GET", f"{ONE}/journal?path=/pool&limit=1")
        assert (status, [entry["number"] for entry in told["entries"]], told["next"]) == (200, [0], 1)
        status, told = await it.ask("GET", f"{ONE}/journal?path=/pool&since=1")
        assert ([entry["number"] for entry in told["entries"]], told["next"], told["dropped"]) == ([2], 3, 0)
        assert it.unit.api_key not in str(told)
        question = {"question": "called", "criteria": {"path": "/pool"}, "exactly": 2}
        status, told = await it.ask("POST", f"{ONE}/verify", {"ask": question})
        assert (status, told["holds"], told["observed"]) == (200, True, "2 times")
        for asked in (
            {"question": "never_called"},
            {"question": "at_most_per_minute", "limit": 30},
            {"question": "logged_in_exactly", "times": 0},
            {"question": "called_in_order", "calls": ["auth.*"]},
            {"question": "no_more_than_open_connections", "limit": 0},
        ):
            assert (await it.ask("POST", f"{ONE}/verify", {"ask": asked}))[0] == 200
        assert await it.ask("DELETE", f"{ONE}/journal") == (200, None)
        assert (await it.ask("GET", f"{ONE}/journal"))[1]["count"] == 0


@pytest.mark.parametrize(
    ("verb", "path", "body", "place"),
    [
        ("GET", "/journal?limit=0", None, "limit"),
        ("GET", "/journal?limit=ten", None, "limit"),
        ("GET", "/journal?limit=1&limit=2", None, "limit"),
        ("GET", "/journal?colour=blue", None, "colour"),
        ("GET", "/journal?after=yesterday", None, "after"),
        ("GET", "/faults?x=1", None, "query"),
        ("POST", "/verify", {"ask": {"question": "why"}}, "ask"),
        ("POST", "/verify", {"ask": {"question": "called", "exactly": 1, "at_most": 2}}, "ask.called"),
        ("PATCH", "/clock", {}, "body"),
        ("PATCH", "/clock", {"at": "2026-02-09T00:00:00"}, "at"),
        ("PATCH", "/clock", {"at": "1970-01-01T00:00:00Z"}, "clock"),
        ("PATCH", "/clock", {"advance": "999999999999d"}, "clock"),
        ("PATCH", "/clock", {"state": "backwards"}, "state"),
        ("POST", "/reboot", {"takes": "1y"}, "takes"),
    ],
)
async def test_what_cannot_be_used_is_named(verb: str, path: str, body: Any, place: str) -> None:
    async with controlled() as it:
        status, told = await it.ask(verb, ONE + path, body)
        assert (status, told["place"]) == (422, place), told


async def test_clock_is_set_moved_stopped_and_started() -> None:
    async with controlled() as it:
        before = (await it.client("/system/info"))[1]["uptime_seconds"]
        status, told = await it.ask("PATCH", f"{ONE}/clock", {"advance": "90s", "state": "frozen"})
        assert (status, told["now"], told["state"]) == (200, "2026-02-09T00:01:30.000000Z", "frozen")
        it.clock.at_ns += 10**9
        assert (await it.client("/system/info"))[1]["uptime_seconds"] == before + 90
        status, told = await it.ask("PATCH", f"{ONE}/clock", {"at": "2026-03-01T00:00:00+01:00", "state": "running"})
        assert told["now"] == "2026-02-28T23:00:00.000000Z"
        it.clock.at_ns += 10**9
        assert (await it.ask("GET", f"{ONE}/clock"))[1]["now"] == "2026-02-28T23:00:01.000000Z"


async def test_reset_brings_everything_back_but_the_keys_stay() -> None:
    async with controlled() as it:
        truth = it.unit.appliance.truth()
        await it.ask("PATCH", f"{ONE}/state/pools/tank", {"status": "DEGRADED", "status_code": "FAULTED_DEV_R"})
        await it.ask("PATCH", f"{ONE}/clock", {"advance": "1d"})
        await it.ask("POST", f"{ONE}/faults", {"kind": "auth.revoke_key"})
        status, told = await it.ask("POST", f"{ONE}/reset")
        assert (status, told["faults"], told["journal_entries"]) == (200, [], 0)
        assert told["clock"]["now_ns"] == START_NS
        assert it.unit.appliance.truth() == truth
        assert (await it.client("/pool"))[0] == 200


async def test_it_boots_when_told_to() -> None:
    async with controlled() as it:
        status, told = await it.ask("POST", f"{ONE}/reboot", {"takes": "60s"})
        assert (status, told["state"]) == (200, "BOOTING")
        assert (await it.ask("POST", f"{ONE}/finish-boot"))[1]["state"] == "READY"
        assert (await it.ask("POST", f"{ONE}/shutdown"))[1]["state"] == "SHUTTING_DOWN"


async def test_a_scrub_begins() -> None:
    async with controlled() as it:
        status, told = await it.ask("POST", f"{ONE}/scrub", {"pool": "tank", "takes": "2h"})
        assert (status, told["scan"]["function"], told["scan"]["takes_ns"]) == (200, "SCRUB", 7_200_000_000_000)


@pytest.mark.parametrize(
    ("headers", "status", "place"),
    [
        ({"Authorization": ""}, 401, "Authorization"),
        ({"Authorization": "Bearer wrong"}, 401, "Authorization"),
        ({"Authorization": "bearer {token}"}, 401, "Authorization"),
        ({"Host": "attacker.example"}, 403, "Host"),
        ({"Host": "attacker.example:{port}"}, 403, "Host"),
        ({"Host": "127.0.0.1"}, 403, "Host"),
        ({"Host": "127.0.0.1:{port}@attacker.example"}, 403, "Host"),
        ({"Host": "192.0.2.1:{port}"}, 403, "Host"),
        ({"Origin": "http://attacker.example"}, 403, "Origin"),
        ({"Origin": "null"}, 403, "Origin"),
        ({"Origin": "https://127.0.0.1:{port}"}, 403, "Origin"),
    ],
)
async def test_strangers_and_pages_are_kept_out(headers: dict[str, str], status: int, place: str) -> None:
    async with controlled() as it:
        port = it.control.url.rpartition(":")[2]
        sent = {name: text.format(port=port, token=it.control.token) for name, text in headers.items()}
        answered, told = await it.ask("DELETE", f"{ONE}/journal", headers=sent)
        assert (answered, told["place"]) == (status, place)
        assert it.control.token not in str(told)


async def test_our_own_names_and_origin_are_let_in() -> None:
    async with controlled() as it:
        port = it.control.url.rpartition(":")[2]
        for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            headers = {"Host": host, "Origin": f"http://{host}"}
            assert (await it.ask("GET", "/v1/appliances", headers=headers))[0] == 200


async def test_remote_use_is_by_address_never_by_a_foreign_name() -> None:
    near, far = (Guard("t", "0.0.0.0", 80, remote=remote) for remote in (False, True))  # noqa: S104
    headers = {"Host": "192.0.2.7", "Authorization": "Bearer t"}
    assert near.refuses(headers) is not None
    assert far.refuses(headers) is None
    assert far.refuses({**headers, "Host": "attacker.example"}) is not None


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        (b"", 422, "is not JSON"),
        (b"{", 422, "is not JSON"),
        (b"[]", 422, "object"),
        (b'{"kind": "\xff"}', 422, "is not UTF-8"),
        (b'{"kind": "\\ud800"}', 422, "is not UTF-8"),
        (b'{"kind": "http.silence", "parameters": {"x": 1e999}}', 422, "not finite"),
        (b'{"kind": NaN}', 422, "not finite"),
        (b'{"kind": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "nested deeper than 64"),
        (b'{"kind": ' + b"[" * 100 + b"]" * 100 + b"}", 422, "nested deeper than 64"),
        (b'{"kind": ' + b"1" * 5000 + b"}", 422, "cannot be used"),
        (b" " * (2 << 20), 413, "is larger than"),
    ],
)
async def test_hostile_bodies_are_refused_in_one_line(body: bytes, status: int, what: str) -> None:
    async with controlled() as it:
        answered, told = await it.ask("POST", f"{ONE}/faults", data=BytesIO(body))
        assert (answered, what in told["message"], "\n" in told["message"]) == (status, True, False), told
        assert it.unit.faults() == ()


async def test_unknown_paths_and_verbs_are_answered_with_those_there_are() -> None:
    async with controlled() as it:
        status, told = await it.ask("GET", "/v2")
        assert (status, told["place"], "/v1/appliances" in told["allowed"]) == (404, "path", True)
        status, told = await it.ask("PUT", f"{ONE}/clock")
        assert (status, told["allowed"]) == (405, ["GET", "PATCH"])


async def test_document_names_every_endpoint_and_needs_no_token() -> None:
    async with controlled() as it:
        status, told = await it.ask("GET", "/v1/openapi.json", headers={"Authorization": ""})
        assert (status, told) == (200, document())
    told = document()
    served = {(endpoint.verb.lower(), endpoint.path) for endpoint in ENDPOINTS} | {("get", "/v1/openapi.json")}
    assert {(verb, path) for path, verbs in told["paths"].items() for verb in verbs} == served
    references = {part for part in str(told).split("'") if part.startswith("#/components/schemas/")}
    assert {reference.rpartition("/")[2] for reference in references} <= set(told["components"]["schemas"])
    names = [operation["operationId"] for verbs in told["paths"].values() for operation in verbs.values()]
    assert len(names) == len(set(names))


async def test_kinds_are_told_with_their_parameters() -> None:
    async with controlled() as it:
        status, told = await it.ask("GET", "/v1/kinds")
        delay = next(kind for kind in told if kind["name"] == "http.delay")
        assert (status, "delay" in delay["parameters"]["required"]) == (200, True)


async def test_token_file_is_new_and_only_ours_and_goes_with_the_api(tmp_path: Path) -> None:
    async with controlled() as it:
        control = Control(it.fleet, entropy=random.Random(1).randbytes)
        await control.start("127.0.0.1", 0, tmp_path)
        file = control.token_file
        assert file is not None
        assert (stat.S_IMODE(file.stat().st_mode), file.read_text().strip()) == (0o600, control.token)
        assert file.parent == tmp_path
        await control.stop()
        assert not file.exists()


async def test_token_is_never_written_into_a_file_that_is_there(tmp_path: Path) -> None:
    there = write_token(tmp_path, 1, "first", random.Random(1).randbytes)
    with pytest.raises(FileExistsError):
        write_token(tmp_path, 1, "second", random.Random(1).randbytes)
    assert there.read_text() == "first\n"
    there.unlink()
    there.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_token(tmp_path, 1, "third", random.Random(1).randbytes)
    assert not (tmp_path / "elsewhere").exists()
