"""Events on both faces: which forms they have, who hears what, and how sources begin and end (truenas-api 5.5, 6)."""

import json
from typing import Any

import pytest

from mock_truenas.appliance.model import Alert
from tests.mock_truenas.frames_wire import SocketBox, Wire, socket_box

OLD = ("24.04", "24.10")


def raise_alert(served: SocketBox, uuid: str = "0b8c1c8e-7f0e-4a51-9a0d-2f2f6d0c1b11") -> str:
    """An alert of its own kind; its uuid."""
    served.appliance.raise_alert(
        Alert(
            uuid=uuid,
            source="",
            klass="NTPHealthCheck",
            level="WARNING",
            text="%(reason)s",
            args={"reason": "late"},
            raised_at_ns=served.clock.at_ns,
        )
    )
    return uuid


async def told(wire: Wire) -> Any:
    return (await wire.next()).json


@pytest.mark.asyncio
async def test_added_changed_and_removed_have_these_members() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        subscription = await wire.call("core.subscribe", "alert.list")
        assert len(subscription) == 36
        uuid = raise_alert(served)
        served.appliance.dismiss_alert(uuid, dismissed=True)
        served.appliance.clear_alert(uuid)
        served.appliance.evolve()
        messages = [await told(wire)]
        while messages[-1]["params"]["msg"] != "removed":
            messages.append(await told(wire))
        # What is gone again before it could be told is told as gone only.
        assert list(messages[-1]) == ["jsonrpc", "method", "params"]
        assert messages[-1]["params"] == {"msg": "removed", "collection": "alert.list", "id": uuid}
        raise_alert(served)
        added = await told(wire)
        assert list(added["params"]) == ["msg", "collection", "id", "fields"]
        assert (added["params"]["msg"], added["params"]["fields"]["klass"]) == ("added", "NTPHealthCheck")
        served.appliance.dismiss_alert(uuid, dismissed=True)
        changed = (await told(wire))["params"]
        assert (changed["msg"], changed["fields"]["dismissed"]) == ("changed", True)
        assert await wire.call("core.unsubscribe", subscription) is None
        served.appliance.clear_alert(uuid)
        assert await wire.call("core.ping") == "pong"
        assert wire.stray == []


@pytest.mark.parametrize("release", [*OLD, "25.10"])
@pytest.mark.asyncio
async def test_older_face_tells_in_its_own_form(release: str) -> None:
    async with socket_box(release) as served, served.wire("/websocket", key=served.key) as wire:
        wire.send('{"id": "s1", "msg": "sub", "name": "alert.list"}')
        assert await told(wire) == {"msg": "ready", "subs": ["s1"]}
        uuid = raise_alert(served)
        added = await told(wire)
        assert list(added) == ["msg", "collection", "id", "fields"]
        assert (added["msg"], added["collection"], added["id"]) == ("added", "alert.list", uuid)
        wire.send('{"id": "s1", "msg": "unsub"}')
        assert await wire.old_call("core.ping") == "pong"
        served.appliance.clear_alert(uuid)
        assert await wire.old_call("core.ping") == "pong"
        assert wire.stray == []


@pytest.mark.asyncio
async def test_subscription_without_login_is_denied() -> None:
    async with socket_box() as served:
        async with served.wire() as wire:
            assert (await wire.call("core.subscribe", "alert.list"))["data"]["error"] == 207
        async with served.wire("/websocket") as wire:
            wire.send('{"id": "s1", "msg": "sub", "name": "alert.list"}')
            answer = await told(wire)
            assert list(answer) == ["msg", "id", "error"]
            assert (answer["id"], answer["error"]["error"]) == ("s1", 13)


@pytest.mark.asyncio
async def test_star_hears_everything_and_rows_are_of_the_listener_s_version() -> None:
    async with (
        socket_box() as served,
        served.wire(key=served.key) as new,
        served.wire("/api/v25.04.0", key=served.key) as old,
    ):
        for wire in (new, old):
            await wire.call("core.subscribe", "*")
        disk = next(iter(served.appliance.state.disks.values()))
        served.appliance.change_disk(disk.name, pool=None)
        seen = {}
        for name, wire in (("new", new), ("old", old)):
            params = (await told(wire))["params"]
            while params["collection"] != "disk.query":
                params = (await told(wire))["params"]
            assert params["id"] == params["fields"]["identifier"]
            seen[name] = params["fields"].keys()
        assert "togglesmart" in seen["old"]
        assert "togglesmart" not in seen["new"]


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ('{"interval": 1}', "[EINVAL] reporting.realtime.interval: Input should be greater than or equal to 2\n"),
        ('{"interval": "x"}', "[EINVAL] reporting.realtime.interval: Input should be a valid integer\n"),
        ('{"interval": 2, "more": 1}', "[EINVAL] reporting.realtime.more: Extra inputs are not permitted\n"),
        ("{", None),
        ("7", None),
    ],
)
@pytest.mark.asyncio
async def test_source_with_a_bad_argument_is_subscribed_and_ended_with_an_error(
    argument: str, reason: str | None
) -> None:
    name = f"reporting.realtime:{argument}"
    async with socket_box() as served:
        async with served.wire(key=served.key) as wire:
            assert len(await wire.call("core.subscribe", name)) == 36
            ended = wire.stray[0] if wire.stray else await told(wire)
            assert (list(ended), ended["method"]) == (["jsonrpc", "method", "params"], "notify_unsubscribed")
            assert ended["params"]["collection"] == name
            error = ended["params"]["error"]
            assert list(error) == ["error", "errname", "reason", "trace", "extra"]
            assert error["error"] == 22
            assert reason in (None, error["reason"])
        async with served.wire("/websocket", key=served.key) as wire:
            wire.send(json.dumps({"id": "s1", "msg": "sub", "name": name}))
            messages = [await told(wire), await told(wire)]
            assert {"msg": "ready", "subs": ["s1"]} in messages
            ended = next(message for message in messages if message["msg"] == "nosub")
            assert (ended["collection"], ended["error"]["type"]) == (name, "VALIDATION")


@pytest.mark.asyncio
async def test_app_stats_are_a_list_and_what_cannot_be_followed_says_so() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.subscribe", "app.stats")
        stats = wire.stray.pop() if wire.stray else await told(wire)
        assert (stats["params"]["collection"], type(stats["params"]["fields"])) == ("app.stats", list)
        await wire.call("core.subscribe", "filesystem.file_tail_follow:/var/log/none")
        while not wire.stray:
            wire.stray.append(await told(wire))
        ended = next(message for message in wire.stray if message["method"] == "notify_unsubscribed")
        assert ended["params"]["error"]["errname"] == "ENOENT"


async def fields_of(wire: Wire, name: str, count: int) -> list[Any]:
    """What the first messages of a source say; the subscription is ended again."""
    ident = await wire.call("core.subscribe", name)
    while len(wire.stray) < count:
        wire.stray.append(await told(wire))
    messages, wire.stray = wire.stray[:count], []
    assert {message["params"]["collection"] for message in messages} == {name}
    await wire.call("core.unsubscribe", ident)
    wire.stray = []
    return [message["params"].get("fields", message["params"].get("error")) for message in messages]


@pytest.mark.asyncio
async def test_logs_of_apps_and_files_are_followed_and_read_the_same_for_everybody() -> None:
    async with socket_box(fixture="homelab") as served, served.wire(key=served.key) as wire:
        app = next(row for row in await wire.call("app.query") if row["state"] == "RUNNING")
        container = app["active_workloads"]["container_details"][0]["id"]
        given = {"app_name": app["name"], "container_id": container, "tail_lines": 3}
        name = f"app.container_log_follow:{json.dumps(given)}"
        lines = await fields_of(wire, name, 3)
        assert [line["timestamp"][11:19] for line in lines] == ["23:59:50", "23:59:55", "00:00:00"]
        assert all(line["data"].endswith("\n") for line in lines)
        assert await fields_of(wire, name, 3) == lines
        (line,) = await fields_of(wire, "filesystem.file_tail_follow:/var/log/messages:1", 1)
        assert line["data"].startswith("2026-02-09 00:00:00 ")
        for argument in ({"app_name": "none"}, {**given, "container_id": "none"}, {"app_name": 5}):
            (error,) = await fields_of(wire, f"app.container_log_follow:{json.dumps(argument)}", 1)
            assert error["errname"] == "ENOENT"


@pytest.mark.asyncio
async def test_metrics_of_an_instance_that_runs_are_told_and_of_others_not() -> None:
    async with socket_box(fixture="homelab") as served, served.wire(key=served.key) as wire:
        running = next(row["id"] for row in await wire.call("virt.instance.query") if row["status"] == "RUNNING")
        (fields,) = await fields_of(wire, f"virt.instance.metrics:{json.dumps({'id': running})}", 1)
        assert set(fields) == {"cpu", "mem_usage", "io_full_pressure"}
        (error,) = await fields_of(wire, 'virt.instance.metrics:{"id": "none"}', 1)
        assert error["errname"] == "ENOENT"
        (error,) = await fields_of(wire, 'virt.instance.metrics:{"of": "none"}', 1)
        assert error["errname"] == "EINVAL"


@pytest.mark.asyncio
async def test_silenced_event_is_not_sent_and_in_the_journal() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.subscribe", "alert.list")
        served.inject("lost", "rpc.lost_event", call="alert.list")
        raise_alert(served)
        assert await wire.call("core.ping") == "pong"
        assert wire.stray == []
        lost = [entry for entry in served.journal.entries if entry.kind == "event"]
        assert [(entry.call, entry.ended, entry.faults) for entry in lost] == [("alert.list", "silent", ("lost",))]
        served.nas.heal("lost")
        served.appliance.dismiss_alert(next(iter(served.appliance.state.alerts)), dismissed=True)
        assert (await told(wire))["params"]["collection"] == "alert.list"


@pytest.mark.asyncio
async def test_machine_that_reboots_tells_those_who_asked_and_is_gone() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.subscribe", "system.reboot")
        served.appliance.reboot()
        assert (await told(wire))["params"]["collection"] == "system.reboot"
        assert (await wire.next()).close == (1006, "")
        async with served.wire() as other:
            assert (await other.call("system.version"))["data"]["error"] == 207
        assert served.appliance.jobs.all() == ()


@pytest.mark.asyncio
async def test_nobody_is_told_after_logging_out() -> None:
    async with socket_box() as served, served.wire(key=served.key) as wire:
        await wire.call("core.subscribe", "alert.list")
        assert await wire.call("auth.logout") is True
        raise_alert(served)
        assert await wire.call("core.ping") == "pong"
        assert wire.stray == []
