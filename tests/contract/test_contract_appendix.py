"""The examples of the fact sheet's Appendix A fit the shapes, and what the mock shows in the same state fits them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.box import Box, box
from tests.contract.shape import Shapes

APPENDIX: dict[str, Any] = json.loads((Path(__file__).parent / "appendix.json").read_text("utf-8"))


def degrade(served: Box) -> None:
    """The second leaf of tank's mirror is gone."""
    appliance = served.nas.appliance
    pool = appliance.state.pools["tank"]
    assert pool.topology is not None
    mirror = pool.topology.data[0]
    gone = replace(mirror.children[1], status="UNAVAIL")
    broken = replace(mirror, status="DEGRADED", children=(mirror.children[0], gone))
    topology = replace(pool.topology, data=(broken,))
    appliance.change_pool("tank", status="DEGRADED", status_code="MISSING_DEV_R", topology=topology)


def keys(value: Any) -> Any:
    """The keys of an object and of those in it, in their order; of a list, those of its first item."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(inner) for inner in value[:1]] if isinstance(value, list) else None


def test_the_examples_fit_the_shapes() -> None:
    assert Shapes("25.04").problems(APPENDIX["pool"], "@pool") == []
    assert Shapes("25.10").problems(APPENDIX["alert"], "@alert") == []


@pytest.mark.asyncio
async def test_a_degraded_pool_of_25_04_has_the_keys_of_the_example() -> None:
    async with box("25.04") as served, served.rpc() as socket:
        degrade(served)
        served.nas.appliance.start_scrub("tank", takes_ns=10**13)
        (pool,) = await socket.call("pool.query", [["name", "=", "tank"]])
        assert Shapes("25.04").problems(pool, "@pool") == []
        example = APPENDIX["pool"]
        assert keys(pool["scan"]) == keys(example["scan"])
        assert set(pool) == set(example)
        (vdev,), (shown,) = pool["topology"]["data"], example["topology"]["data"]
        assert set(vdev) == set(shown)
        for leaf, like in zip(vdev["children"], shown["children"], strict=True):
            assert set(leaf) == set(like)
        healthy, gone = vdev["children"]
        assert (healthy["status"], healthy["unavail_disk"]) == ("ONLINE", None)
        assert (gone["status"], gone["device"], gone["disk"]) == ("UNAVAIL", None, None)
        assert gone["name"] == gone["guid"]
        assert set(gone["unavail_disk"]) == set(shown["children"][1]["unavail_disk"])
        assert (pool["healthy"], pool["warning"], pool["status_code"]) == (False, False, "MISSING_DEV_R")
        assert pool["status_detail"].startswith("One or more devices could not be opened.")


@pytest.mark.asyncio
async def test_a_degraded_pool_of_25_10_raises_the_alert_of_the_example() -> None:
    async with box("25.10") as served, served.rpc() as socket:
        degrade(served)
        (alert,) = [alert for alert in await socket.call("alert.list") if alert["klass"] == "VolumeStatus"]
        assert Shapes("25.10").problems(alert, "@alert") == []
        example = APPENDIX["alert"]
        assert set(alert) == set(example)
        for key in ("source", "klass", "node", "dismissed", "mail", "text", "level", "one_shot"):
            assert alert[key] == example[key], key
        assert alert["id"] == alert["uuid"]
        assert list(alert["args"]) == list(example["args"])
        assert alert["formatted"] == alert["text"] % alert["args"]
        assert alert["formatted"].startswith("Pool tank state is DEGRADED: ")
        devices = alert["args"]["devices"]
        assert devices.startswith("<br>The following devices are not healthy:<ul><li>Disk ")
        assert devices.endswith(" is UNAVAIL</li></ul>")
        assert isinstance(json.loads(alert["key"]), dict)


@pytest.mark.asyncio
async def test_progress_of_a_job_is_told_as_in_the_example() -> None:
    async with box("25.10") as served, served.rpc() as socket:
        await socket.call("core.subscribe", "core.get_jobs")
        number = await socket.call("pool.scrub.scrub", "tank")
        assert isinstance(number, int)
        frames = [frame for frame in socket.stray if frame.get("method") == "collection_update"]
        while not frames:
            frames.append(json.loads(await socket.text()))
        frame, example = frames[0], APPENDIX["job_event"]
        assert list(frame) == list(example)
        assert list(frame["params"]) == list(example["params"])
        assert (frame["params"]["id"], frame["params"]["collection"]) == (number, "core.get_jobs")
        fields = frame["params"]["fields"]
        assert Shapes("25.10").problems(fields, "@job") == []
        assert set(fields["progress"]) == set(example["params"]["fields"]["progress"])
