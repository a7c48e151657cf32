"""Calls over JSON-RPC: order, slots, versions of the API, forms of errors, jobs; and the faults that one call meets."""

import asyncio
import base64
import json
import pickle
from typing import Any

import pytest

from mock_truenas.api.errors import CallError
from mock_truenas.api.methods import catalogue
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method
from mock_truenas.appliance.nas import Appliance
from tests.mock_truenas.frames_wire import PING, PONG, TEXT, SocketBox, Wire, socket_box

SECOND_NS = 1_000_000_000


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> dict[str, asyncio.Event]:
    """Methods of no appliance: one that waits until it is let go, one whose result is no JSON, one that breaks."""
    gates: dict[str, asyncio.Event] = {}

    async def waits(call: Call) -> str:
        gate = gates.setdefault(str(call.connection.opening.number), asyncio.Event())
        await gate.wait()
        return "at last"

    def breaks(_: Call) -> None:
        raise CallError("It is busy", 16, ["why"])

    def plan(_: Call) -> JobPlan:
        return JobPlan(60 * SECOND_NS, _done, steps=((0.5, "half"),), abortable=True)

    def failing(_: Call) -> JobPlan:
        return JobPlan(SECOND_NS, _failed)

    added = (
        Method("probe.waits", "", waits, access=Access.LOGIN),
        Method("probe.no_json", "", lambda _: {1, 2}, access=Access.LOGIN),
        Method("probe.breaks", "", breaks, access=Access.LOGIN),
        Method("probe.job", "", plan, access=Access.LOGIN, job=True),
        Method("probe.failing_job", "", failing, access=Access.LOGIN, job=True),
    )
    monkeypatch.setattr(
        "mock_truenas.api.methods.performing.METHODS",
        {**catalogue.METHODS, **{method.name: method for method in added}},
    )
    return gates


def _done(_: Appliance) -> dict[str, int]:
    return {"done": 1}


def _failed(_: Appliance) -> None:
    raise CallError("It did not work", 5)


async def fill(wire: Wire, count: int) -> list[int]:
    """So many calls that wait."""
    return [wire.ask("probe.waits") for _ in range(count)]


@pytest.mark.asyncio
async def test_replies_come_in_the_order_the_calls_end(probes: dict[str, asyncio.Event]) -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        slow = wire.ask("probe.waits")
        fast = wire.ask("core.ping")
        assert (await wire.next()).json == {"jsonrpc": "2.0", "result": "pong", "id": fast}
        probes["1"].set()
        assert (await wire.next()).json == {"jsonrpc": "2.0", "result": "at last", "id": slow}


@pytest.mark.asyncio
async def test_ten_run_ten_wait_and_one_more_is_refused_at_once(probes: dict[str, asyncio.Event]) -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        waiting = await fill(wire, 10)
        queued = [wire.ask("core.ping") for _ in range(10)]
        refused = wire.ask("core.ping")
        assert (await wire.next()).json == {
            "jsonrpc": "2.0",
            "error": {"code": -32000, "message": "Maximum number of concurrent calls (20) has exceeded"},
            "id": refused,
        }
        probes["1"].set()
        came = [(await wire.next()).json["id"] for _ in range(20)]
        assert sorted(came) == [*waiting, *queued]
        assert await wire.call("core.ping") == "pong"


@pytest.mark.asyncio
async def test_older_face_refuses_the_twenty_first_call_with_109(probes: dict[str, asyncio.Event]) -> None:
    async with socket_box("24.10") as served, served.wire("/websocket", key=served.key) as wire:
        for number in range(20):
            wire.send(json.dumps({"id": str(number), "msg": "method", "method": "probe.waits", "params": []}))
        error = await wire.old_call("core.ping")
        assert (error["error"], error["errname"]) == (109, "ETOOMANYREFS")
        probes["1"].set()


@pytest.mark.asyncio
async def test_result_that_is_no_json_is_error_32603_and_the_connection_lives() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        error = await wire.call("probe.no_json")
        assert (error["code"], error["message"]) == (-32603, "Failed to JSON serialize server message")
        assert (error["data"]["error"], error["data"]["errname"]) == (14, "EFAULT")
        assert await wire.call("core.ping") == "pong"


@pytest.mark.asyncio
async def test_call_error_has_number_reason_with_prefix_and_extra() -> None:
    async with socket_box() as served:
        async with served.wire(key=served.key) as wire:
            error = await wire.call("probe.breaks")
            data = error["data"]
            assert (error["code"], data["error"], data["errname"]) == (-32001, 16, "EBUSY")
            assert (data["reason"], data["extra"]) == ("[EBUSY] It is busy", ["why"])
            assert data["trace"]["class"] == "CallError"
            assert data["trace"]["repr"] == "CallError('It is busy', 16)"
        async with served.wire("/websocket", key=served.key) as wire:
            told = await wire.old_call("probe.breaks")
            assert list(told) == ["error", "errname", "type", "reason", "trace", "extra"]
            assert (told["error"], told["type"], told["reason"]) == (16, None, "[EBUSY] It is busy")


@pytest.mark.asyncio
async def test_py_exceptions_are_sent_to_those_who_ask_for_them() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        assert "py_exception" not in (await wire.call("probe.breaks"))["data"]
        assert await wire.call("core.set_options", {"py_exceptions": True, "no_such_option": 1}) == {
            "legacy_jobs": True,
            "private_methods": False,
            "py_exceptions": True,
        }
        text = (await wire.call("probe.breaks"))["data"]["py_exception"]
        raised = pickle.loads(base64.b64decode(text))  # noqa: S301 - the server is this test's own
        assert raised.args == (16, "[EBUSY] It is busy")


@pytest.mark.parametrize(
    ("release", "path", "echoed"),
    [
        ("25.04", "/api/current", False),
        ("25.10", "/api/current", True),
        ("25.10", "/api/v25.04.0", False),
        ("26.0", "/api/v25.10.0", True),
    ],
)
@pytest.mark.asyncio
async def test_set_options_answers_as_the_version_does(release: str, path: str, echoed: bool) -> None:
    async with socket_box(release) as served, served.wire(path) as wire:
        answer = await wire.call("core.set_options", {"legacy_jobs": False})
        assert (answer is not None) is echoed


@pytest.mark.asyncio
async def test_older_version_of_the_api_has_its_shapes_and_not_the_methods_that_came_later() -> None:
    async with socket_box("25.10") as served:
        async with served.wire("/api/v25.04.0", key=served.key) as wire:
            assert "togglesmart" in (await wire.call("disk.query"))[0]
            error = await wire.call("vm.query")
            assert (error["code"], error["data"]["error"]) == (-32001, 201)
            assert (await wire.call("smart.test.results"))["code"] == -32601
        async with served.wire("/api/current", key=served.key) as wire:
            assert "togglesmart" not in (await wire.call("disk.query"))[0]
            assert isinstance(await wire.call("vm.query"), list)
        async with served.wire("/websocket", key=served.key) as wire:
            assert "togglesmart" in (await wire.old_call("disk.query"))[0]
            assert (await wire.old_call("virt.instance.query"))["error"] == 201


@pytest.mark.asyncio
async def test_methods_and_services_are_told_by_version() -> None:
    async with socket_box("25.10") as served, served.wire(key=served.key) as wire:
        methods = await wire.call("core.get_methods", "pool")
        assert "pool.query" in methods
        assert all(name.startswith("pool.") for name in methods)
        services = await wire.call("core.get_services")
        assert services["pool"]["type"] == "crud"
        assert "smart.test" not in services


async def ended(served: SocketBox, wire: Wire, number: int) -> Any:
    """What a job that waits comes to: time goes by, and somebody looks."""
    served.clock.at_ns += 61 * SECOND_NS
    served.appliance.evolve()
    return await wire.reply_to(number)


@pytest.mark.asyncio
async def test_job_is_answered_with_its_number_or_when_it_ends_with_its_result() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        job = await wire.call("probe.job")
        assert isinstance(job, int)
        row = await wire.call("core.get_jobs", [["id", "=", job]], {"get": True})
        assert (row["method"], row["state"], row["message_ids"]) == ("probe.job", "RUNNING", [wire.asked - 1])
        await wire.call("core.set_options", {"legacy_jobs": False})
        assert await wire.call("core.subscribe", "core.get_jobs")
        number = wire.ask("probe.job")
        told = (await wire.next()).json["params"]
        assert (told["msg"], told["collection"], told["fields"]["state"]) == ("added", "core.get_jobs", "RUNNING")
        assert told["fields"]["message_ids"] == [number]
        assert (await ended(served, wire, number))["result"] == {"done": 1}
        states = [message["params"]["fields"]["state"] for message in wire.stray]
        assert "SUCCESS" in states


@pytest.mark.asyncio
async def test_job_that_fails_is_an_error_where_its_end_is_the_answer() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.set_options", {"legacy_jobs": False})
        number = wire.ask("probe.failing_job")
        assert await wire.call("core.ping") == "pong"
        error = (await ended(served, wire, number))["error"]
        assert error["data"]["reason"] == "[EIO] It did not work"
        row = (await wire.call("core.get_jobs"))[0]
        assert (row["state"], row["error"]) == ("FAILED", "[EIO] It did not work")
        assert (row["exc_info"]["type"], row["exc_info"]["errno"]) == ("CALLERROR", 5)


@pytest.mark.asyncio
async def test_job_is_aborted_and_waited_for() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        job = await wire.call("probe.job")
        waits = await wire.call("core.job_wait", job)
        assert await wire.call("core.job_abort", job) is None
        assert (await wire.call("core.get_jobs", [["id", "=", job]]))[0]["state"] == "ABORTED"
        served.clock.at_ns += 61 * SECOND_NS
        assert (await wire.call("core.get_jobs", [["id", "=", waits]]))[0]["state"] == "FAILED"
        assert (await wire.call("core.job_abort", 99))["data"]["error"] == 2


@pytest.mark.asyncio
async def test_silent_call_holds_up_no_other_and_is_in_the_journal() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        served.inject("quiet", "rpc.silence", call="pool.query")
        wire.ask("pool.query")
        assert await wire.call("core.ping") == "pong"
        served.nas.heal("quiet")
        assert isinstance(await wire.call("pool.query"), list)
        silent = [entry for entry in served.journal.entries if entry.ended == "silent"]
        assert [(entry.call, entry.faults) for entry in silent] == [("pool.query", ("quiet",))]
        assert wire.stray == []


@pytest.mark.asyncio
async def test_reply_of_many_megabytes_is_one_frame_and_what_comes_meanwhile_waits_for_its_end() -> None:
    async with socket_box(fixture="many-datasets") as served, served.wire(key=served.key) as wire:
        large = wire.ask("pool.dataset.query")
        wire.send(b"still there?", PING)
        small = wire.ask("core.ping")
        async with served.wire(key=served.key) as other:
            assert await other.call("core.ping") == "pong"
        frames = [await wire.next() for _ in range(3)]
        assert sorted(frame.opcode for frame in frames) == [TEXT, TEXT, PONG]
        short, long = sorted((frame.payload for frame in frames if frame.opcode == TEXT), key=len)
        assert short == f'{{"jsonrpc": "2.0", "result": "pong", "id": {small}}}'.encode()
        assert len(long) > 10_000_000
        assert long.startswith(b'{"jsonrpc": "2.0", "result": [{"id": "')
        assert long.endswith(f'}}], "id": {large}}}'.encode())
