"""A capture tells nobody whose appliance it was, and hostile files are refused in one line."""

import json
import random
import re
import ssl
import stat
from pathlib import Path
from typing import Any, Literal

import pytest

from mock_truenas.appliance.releases import RELEASES
from mock_truenas.capture.anonymity import anonymised
from mock_truenas.capture.document import FORMAT, Capture, read_capture, release_like, whole_file
from mock_truenas.capture.recording import Source, record
from mock_truenas.capture.serving import plan_of, state_of
from mock_truenas.certificate import Certificates
from mock_truenas.complaints import BadInput
from mock_truenas.fleet import Plan, Unit
from mock_truenas.system import SYSTEM_CLOCK
from tests.mock_truenas.wire import SetClock

KEY = "3-" + "abcDEF78" * 8


async def captured(release: str = "25.10", fixture: str = "homelab") -> Capture:
    unit = Unit("nas-1", Plan(release, fixture), clock=SetClock(), entropy=random.Random("capture").randbytes)
    await unit.start()
    try:
        return await record(Source(unit.url, unit.api_key))
    finally:
        await unit.stop()


def telling(capture: Capture) -> set[str]:
    """Serials, guids and the like that stand in fields of their own."""
    found: set[str] = set()
    waiting: list[Any] = [capture.answers]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
            found |= {
                part[name]
                for name in ("serial", "lunid", "guid", "zfs_guid", "system_serial", "hostname", "uuid")
                if isinstance(part.get(name), str) and len(part[name]) > 3
            }
        elif isinstance(part, list):
            waiting += part
    return found


@pytest.mark.asyncio
async def test_nothing_that_tells_whose_it_was_is_left_anywhere() -> None:
    first = await captured()
    text = anonymised(first).text()
    for value in telling(first) - {"truenas"}:
        assert value not in text, value


@pytest.mark.asyncio
async def test_the_same_thing_is_replaced_by_the_same_thing() -> None:
    clean = anonymised(await captured())
    disks = {disk["zfs_guid"]: disk for disk in clean.answers["disk.query"] if disk["zfs_guid"]}
    vdevs = [vdev for pool in clean.answers["pool.query"] for vdev in pool["topology"]["data"]]
    leaves = [leaf for vdev in vdevs for leaf in (vdev["children"] or [vdev])]
    assert leaves
    for leaf in leaves:
        assert disks[leaf["guid"]]["name"] == leaf["disk"]
    for disk in clean.answers["disk.query"]:
        assert disk["serial"] in disk["identifier"]
    serials = [disk["serial"] for disk in clean.answers["disk.query"]]
    assert len(set(serials)) == len(serials)


@pytest.mark.asyncio
async def test_lengths_and_kinds_stay() -> None:
    first = await captured()
    for before, after in zip(first.answers["disk.query"], anonymised(first).answers["disk.query"], strict=True):
        assert len(after["serial"]) == len(before["serial"])
        assert after["zfs_guid"] is None or (
            after["zfs_guid"].isdigit() and len(after["zfs_guid"]) == len(before["zfs_guid"])
        )


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.asyncio
async def test_twice_is_the_same_as_once_and_it_can_be_served(names: bool) -> None:
    once = anonymised(await captured(), names=names)
    assert anonymised(once, names=names) == once
    state = state_of(once)
    assert set(state.pools) == ({"pool1", "pool2", "pool3"} if names else {"tank", "flash", "vault"})
    assert len(state.datasets) == 40
    assert all(dataset.pool in state.pools for dataset in state.datasets.values())


def test_secrets_people_and_addresses_are_gone_from_any_text() -> None:
    answers = {
        "system.info": {"hostname": "storage.corp.example", "version": "25.10.2.1"},
        "user.query": [
            {"username": "alice", "full_name": "Alice Liddell", "email": "alice@corp.example", "builtin": False}
            | {"unixhash": "$6$salt$hash", "sshpubkey": "ssh-ed25519 AAAA", "home": "/mnt/tank/home/alice"},
            {"username": "жанна", "builtin": False, "home": "/mnt/tank/home/жанна"},
        ],
        "interface.query": [
            {"aliases": [{"address": "10.1.2.3", "netmask": 24}, {"address": "fd00:1::2"}]},
            {"link_address": "3c:ec:ef:12:34:56", "time": "12:00:00"},
        ],
        "certificate.query": [{"privatekey": "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"}],
        "alert.list": [{"text": f"storage.corp.example at 10.1.2.3: key {KEY} of alice, mail bob@corp.example"}],
        "service.query": [{"x": "-----BEGIN RSA PRIVATE KEY-----\nunfinished"}],
    }
    text = json.dumps(anonymised(Capture("25.10", "25.10.2.1", 0, answers)).answers, ensure_ascii=False)
    for telling_text in (
        "corp",
        "alice",
        "Alice",
        "Liddell",
        "жанна",
        "10.1.2.3",
        "fd00",
        "3c:ec",
        "$6$",
        "AAAA",
        KEY,
        "unfinished",
    ):
        assert telling_text not in text, telling_text
    assert "25.10.2.1" in text
    assert "12:00:00" in text
    assert re.search(r"truenas.example at 198\.18\.0\.1: key \*{8} of user1, mail user[0-9]+@example.org", text)
    assert '"/mnt/tank/home/user1"' in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON that can be used: Expecting value"),
        ("[]", "this is no capture; `mock-truenas capture` writes one"),
        ('{"pools": []}', "this is no capture"),
        ('{"format": "mock-truenas capture", "version": 2}', "version 2: only version 1 can be read"),
        (
            '{"format": "mock-truenas capture", "version": 1, "release": "13.0"}',
            "release 13.0: is not served; available: 24.04",
        ),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": 1e999}', "a number is not finite"),
        ('{"a": ' + "9" * 30 + "}", r"a number is larger than 2\^63"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ("[" * 100 + "]" * 100, "is nested deeper than 64 levels"),
        ("[" * 200_000, "is nested deeper than 64 levels"),
    ],
)
def test_hostile_and_foreign_files_are_refused_in_one_line(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "nas.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=told) as refused:
        read_capture(file)
    assert "\n" not in str(refused.value)


def _with(method: str, answer: Any) -> dict[str, Any]:
    info = {"version": "25.10.0", "hostname": "a", "physmem": 1, "boottime": {"$date": 0}}
    boot = {"name": "boot-pool", "status": "ONLINE"}
    answers = {"system.info": info, "boot.get_state": boot, method: answer}
    return {"format": FORMAT, "version": 1, "release": "25.10", "at_ms": 0, "answers": answers}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_with("pool.query", {}), "answers.pool.query {}: is not a list of rows"),
        (_with("pool.query", [{"name": "tank"}]), "answers.pool.query.0.status is missing: Field required"),
        (
            _with("pool.query", [{"name": "tank", "status": "FINE"}]),
            "answers.pool.query.0.status FINE: Input should be",
        ),
        (_with("disk.query", [{}]), "answers.disk.query.0.name is missing: Field required"),
        (_with("service.query", [[]]), r"answers.service.query.0 \[\]: is not an object"),
        (_with("service.query", [{"id": None}]), "answers.service.query.0.id None: is neither a number nor a string"),
        (_with("system.info", None), "answers.system.info is missing: without it there is no appliance to serve"),
        (
            _with("pool.dataset.query", ["tank"]),
            "answers.pool.dataset.query.0 tank: Input should be a valid dictionary",
        ),
    ],
)
def test_a_broken_row_is_named(data: dict[str, Any], told: str, tmp_path: Path) -> None:
    file = tmp_path / "nas.json"
    file.write_text(json.dumps(data))
    with pytest.raises(BadInput, match=told) as refused:
        plan_of(file, Plan())
    assert "\n" not in str(refused.value)


def test_the_least_there_can_be_is_served(tmp_path: Path) -> None:
    file = tmp_path / "nas.json"
    file.write_text(json.dumps(_with("pool.query", [])))
    unit = Unit("nas-1", plan_of(file, Plan()), clock=SetClock(), entropy=random.Random(1).randbytes)
    assert unit.appliance.truth()["pools"] == {}


def test_missing_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_capture(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is not UTF-8"):
        read_capture(tmp_path / "binary")


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("TrueNAS-SCALE-24.04.0", "24.04"),
        ("TrueNAS-SCALE-24.10.2.4", "24.10"),
        ("25.04.0", "25.04.0"),
        ("25.04.1", "25.04.1"),
        ("25.04.2.4", "25.04.1"),
        ("25.04.2.6", "25.04"),
        ("25.10.3", "25.10.0"),
        ("25.10.6", "25.10"),
        ("26.0.0-BETA.3", "26.0"),
    ],
)
def test_a_version_is_served_by_the_newest_release_of_its_line_not_after_it(version: str, release: str) -> None:
    assert release_like(version) is RELEASES[release]


@pytest.mark.parametrize("version", ["TrueNAS-13.0-U6.1", "23.10.2", "x"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(BadInput, match="version"):
        release_like(version)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "nas.json"
    with pytest.raises(RuntimeError), whole_file(out) as file:
        file.write("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with whole_file(out) as file:
        file.write("whole")
    assert out.read_text() == "whole"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.asyncio
async def test_a_key_is_never_sent_over_a_plain_websocket_to_another_machine() -> None:
    with pytest.raises(BadInput, match="over ws:// the appliance would revoke this API key; use https"):
        await record(Source("http://192.0.2.1", KEY, face="rpc"))


@pytest.mark.parametrize("url", ["nas.example", "ftp://nas", "http://nas/api", "http://[", "http://nas:x"])
@pytest.mark.asyncio
async def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match=r"write it as https://nas\.example"):
        await record(Source(url, KEY))


@pytest.mark.asyncio
async def test_a_wrong_key_and_a_silent_port_are_told() -> None:
    unit = Unit("nas-1", Plan("25.10"), clock=SetClock(), entropy=random.Random(1).randbytes)
    await unit.start()
    with pytest.raises(BadInput, match="does not take this key"):
        await record(Source(unit.url, unit.api_key[:-4] + "aaaa"))
    with pytest.raises(BadInput, match="is the key valid"):
        await record(Source(unit.url, "77-" + unit.api_key.partition("-")[2]))
    with pytest.raises(BadInput, match="refused the login of truenas_admin: AUTH_ERR"):
        unit.inject("auth.delete_key", {})
        await record(Source(unit.url, unit.api_key, face="rpc"))
    await unit.stop()
    with pytest.raises(BadInput, match="cannot be recorded: "):
        await record(Source(unit.url, KEY))


@pytest.mark.asyncio
async def test_a_certificate_nobody_knows_is_told_with_the_way_out() -> None:
    certificates = Certificates("127.0.0.1", SYSTEM_CLOCK.now_ns() / 1e9)
    entropy = random.Random(1).randbytes
    unit = Unit("nas-1", Plan("25.10"), clock=SetClock(), entropy=entropy, certificates=certificates)
    await unit.start()
    with pytest.raises(BadInput, match="certificate is not trusted; name it with --ca-file"):
        await record(Source(unit.url, unit.api_key))
    trusting = ssl.create_default_context(cadata=certificates.pem)
    choices: tuple[ssl.SSLContext | Literal[False], ...] = (trusting, False)
    for tls in choices:
        assert (await record(Source(unit.url, unit.api_key, tls=tls))).release == "25.10"
    await unit.stop()
