"""Connections on a disk that others use as well: busy, changed, damaged for one; and a poller that cannot follow."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.connection import DEFAULT_ORG, Connection
from pulse_sim.stack.poller import Poller
from pulse_sim.stack.store import ConnectionStore
from tests.stack.stackbed import TOKEN, Bed

BASE = "/api/truenas/connections"
CHANGES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", BASE, {"id": "two", "host": "other", "apiKey": "1-x"}),
    ("PUT", f"{BASE}/nas-1", {"name": "changed"}),
    ("DELETE", f"{BASE}/nas-1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=[row[0] for row in CHANGES])
def test_who_meets_another_writer_is_told_when_to_try_again_and_nothing_changed(
    method: str, path: str, body: dict[str, Any] | None
) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(10)
        before = bed.disk.read("/data/truenas.enc")
        url, headers = f"http://127.0.0.1:7655{path}", {"X-API-Token": TOKEN}
        async with aiohttp.ClientSession(headers=headers) as session:
            with bed.disk.lock("/data"):
                async with session.request(method, url, json=body) as answer:
                    told = await answer.json()
        assert (answer.status, told["code"], answer.headers["Retry-After"]) == (503, "truenas_store_busy", "1")
        assert told["details"] == {"file": "truenas.enc", "reason": "busy"}
        assert bed.disk.read("/data/truenas.enc") == before
        assert (await bed.api(method, path, body))[0] in (200, 201)

    Bed().run(story)


class Overtaken(ConnectionStore):
    """Somebody else saves right before it does, once."""

    overtaken = False

    def save(self, connections: Sequence[Connection], org: str = DEFAULT_ORG) -> None:
        if connections and not type(self).overtaken and self.load():
            type(self).overtaken = True
            path = self._file_of(org)
            kept = self._loaded[org]
            other = ConnectionStore(self._data_dir, self._seams)
            other.save([replace(each, name="by another") for each in other.load()])
            self._loaded[org] = kept
            assert self._disk.read(path) != kept[0]
        super().save(connections, org)

    def __init__(self, data_dir: str, seams: Any) -> None:
        super().__init__(data_dir, seams)
        self._seams = seams


def test_what_another_process_changed_meanwhile_is_a_conflict_and_stays() -> None:
    async def story(bed: Bed) -> list[str]:
        Overtaken.overtaken = False
        await bed.start(Parts(store=Overtaken))
        await bed.add()
        status, answer = await bed.api("PUT", f"{BASE}/nas-1", {"name": "by me"})
        assert (status, answer["code"]) == (409, "truenas_store_changed")
        assert "read them and try again" in answer["error"]
        shown = [(await bed.api("GET", BASE))[1][0]["name"]]
        assert (await bed.api("PUT", f"{BASE}/nas-1", {"name": "by me"}))[0] == 200
        return [*shown, (await bed.api("GET", BASE))[1][0]["name"]]

    assert Bed().run(story) == ["by another", "by me"]


def test_the_document_tells_of_a_busy_and_of_a_changed_store() -> None:
    async def story(bed: Bed) -> Any:
        await bed.start()
        return (await bed.api("GET", "/api/openapi.json"))[1]

    paths = Bed().run(story)["paths"]
    for row, statuses in {
        (BASE, "get"): {"503"},
        (BASE, "post"): {"503", "409"},
        (f"{BASE}/{{id}}", "put"): {"503", "409"},
        (f"{BASE}/{{id}}", "delete"): {"503", "409"},
        (f"{BASE}/{{id}}/test", "post"): {"503"},
        ("/api/ai/context", "get"): {"503"},
    }.items():
        told = paths[row[0]][row[1]]["responses"]
        assert statuses <= set(told), row
        assert "Retry-After" in told["503"]["headers"]


@pytest.mark.parametrize("damaged", ["acme", DEFAULT_ORG])
def test_the_damaged_file_of_one_organisation_keeps_no_other_from_its_changes(damaged: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start(PULSE_MULTI_TENANT_ENABLED="true")
        orgs = {DEFAULT_ORG: "nas-1", "acme": "nas-2"}
        for org, name in orgs.items():
            assert (await bed.api("POST", BASE, bed.record(name), **{"X-Pulse-Org-ID": org}))[0] == 201
        await bed.wait(30)
        path = "/data/truenas.enc" if damaged == DEFAULT_ORG else f"/data/orgs/{damaged}/truenas.enc"
        bed.disk.write(path, b"\x00" * 100, 0o600)
        well = next(org for org in orgs if org != damaged)
        headers = {"X-Pulse-Org-ID": well}
        assert (await bed.api("PUT", f"{BASE}/{orgs[well]}", {"pollIntervalSeconds": 10}, **headers))[0] == 200
        await bed.wait(300)
        assert await bed.metric("monitor_poll_total", orgs[well], result="success") >= 30
        assert await bed.metric("monitor_poll_total", orgs[damaged], result="success") == 6
        assert (await bed.api("DELETE", f"{BASE}/{orgs[well]}", **headers))[0] == 200
        assert orgs[damaged] in {series.split('instance="')[1].split('"')[0] for series in await instances(bed)}
        assert not any(f'instance="{orgs[well]}"' in series for series in await instances(bed))
        assert bed.disk.read(path) == b"\x00" * 100

    bed = Bed("nas-1", "nas-2")
    bed.run(story)
    assert len([text for text in bed.logs.texts() if f"not loaded for {damaged}" in text]) == 1


async def instances(bed: Bed) -> list[str]:
    return [series for series in await bed.metrics() if "instance=" in series]


def test_organisations_that_cannot_be_listed_for_once_are_polled_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_directory: str) -> list[str]:
        raise OSError(5, "input/output error")

    async def story(bed: Bed) -> float:
        await bed.start(PULSE_MULTI_TENANT_ENABLED="true")
        assert (await bed.api("POST", BASE, bed.record("nas-1"), **{"X-Pulse-Org-ID": "acme"}))[0] == 201
        await bed.wait(30)
        with monkeypatch.context() as patched:
            patched.setattr(bed.disk, "names", refused)
            await bed.wait(300)
        return await bed.metric("monitor_poll_total", result="success")

    assert Bed().run(story) == 6


class CannotFollow(Poller):
    """Fails to come into step for two minutes after it has polled something."""

    until: float | None = None

    async def sync_connections(self) -> None:
        if any(True for _ in self.running()):
            self.until = self.until or self._runtime.time() + 120
            if self._runtime.time() < self.until:
                raise RuntimeError("out of step")
        await super().sync_connections()


def test_a_removal_the_poller_could_not_follow_is_stored_and_followed_later() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(Parts(poller=CannotFollow))
        await bed.add()
        await bed.wait(10)
        assert (await bed.api("DELETE", f"{BASE}/nas-1"))[0] == 200
        assert await bed.api("GET", BASE) == (200, [])
        await bed.wait(200)
        assert not await instances(bed)
        polls = len(bed.journals["nas-1"])
        await bed.wait(200)
        assert len(bed.journals["nas-1"]) == polls
        assert (await bed.api("GET", "/api/health"))[0] == 200

    Bed().run(story)


def test_a_change_the_poller_could_not_follow_is_stored_and_followed_later() -> None:
    async def story(bed: Bed) -> None:
        await bed.start(Parts(poller=CannotFollow))
        await bed.add()
        await bed.wait(10)
        changed = {"host": "nas-2", "apiKey": bed.keys["nas-2"]}
        status, answer = await bed.api("PUT", f"{BASE}/nas-1", changed)
        assert (status, answer["host"]) == (200, "nas-2")
        assert not bed.journals["nas-2"]
        await bed.wait(250)
        assert bed.journals["nas-2"]

    bed = Bed("nas-1", "nas-2")
    bed.run(story)
    assert "change of nas-1 stored, not polled yet: RuntimeError" in bed.logs.texts()


def test_an_addition_the_poller_could_not_follow_leaves_nothing_behind() -> None:
    async def story(bed: Bed) -> list[str]:
        await bed.start(Parts(poller=CannotFollow))
        await bed.add("nas-1")
        await bed.wait(10)
        status, answer = await bed.api("POST", BASE, bed.record("nas-2"))
        assert (status, answer["code"]) == (500, "internal_error")
        await bed.wait(200)
        return [each["id"] for each in (await bed.api("GET", BASE))[1]]

    bed = Bed("nas-1", "nas-2")
    assert bed.run(story) == ["nas-1"]
    assert not bed.journals["nas-2"]


@pytest.mark.parametrize("field", ["name", "host", "apiKey", "username", "password", "fingerprint"])
def test_a_lone_surrogate_is_refused_by_the_name_of_its_field(field: str) -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        body = {"id": "two", "host": "other", "apiKey": "1-x", field: "a\ud800b"}
        for method, path in (("POST", BASE), ("POST", f"{BASE}/test")):
            status, answer = await bed.api(method, path, body)
            assert (status, answer["code"]) == (400, "validation_error")
            assert answer["details"][field] == "must be text without lone surrogates"
        assert await bed.api("GET", BASE) == (200, [])

    Bed().run(story)
