"""The stack as `pulse-sim serve` runs it: real sockets, a real disk, the machine's own clock and entropy."""

import asyncio
import base64
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mock_truenas.appliance.build import build_appliance
from mock_truenas.server import MockTrueNAS
from pulse_sim.stack.assembly import Stack
from pulse_sim.stack.disk import RealDisk
from pulse_sim.stack.settings import SettingsInvalid
from pulse_sim.stack.standalone import SystemClock, serve, system_seams
from pulse_sim.stack.store import ConnectionStore, StoreDamaged


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_disk_writes_whole_private_files_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = ConnectionStore(str(tmp_path / "a" / "data"), system_seams())
        store.open()
        store.save([])
    finally:
        os.umask(before)
    data = tmp_path / "a" / "data"
    assert sorted(RealDisk().names(str(data))) == [".encryption.key", "truenas.enc"]
    assert (mode(data), mode(data / ".encryption.key"), mode(data / "truenas.enc")) == (0o700, 0o600, 0o600)
    assert len(base64.b64decode((data / ".encryption.key").read_bytes(), validate=True)) == 32
    assert store.load() == ()


def test_a_key_that_is_a_link_or_a_directory_is_a_typed_error(tmp_path: Path) -> None:
    for name in ("link", "directory"):
        data = tmp_path / name
        data.mkdir()
        if name == "link":
            (data / ".encryption.key").symlink_to(tmp_path / "elsewhere")
        else:
            (data / ".encryption.key").mkdir()
        with pytest.raises(StoreDamaged):
            ConnectionStore(str(data), system_seams()).open()


def test_the_disk_raises_file_not_found(tmp_path: Path) -> None:
    disk, missing = RealDisk(), str(tmp_path / "none")
    for act in (disk.read, disk.remove, disk.mode, disk.names, disk.sync):
        with pytest.raises(FileNotFoundError):
            act(missing)


async def until(condition: Any) -> Any:
    async with asyncio.timeout(20):
        while not (found := await condition()):  # noqa: ASYNC110 - another process would poll like this too
            await asyncio.sleep(0.02)
        return found


def test_the_same_stack_polls_a_real_socket_and_serves_what_it_saw(tmp_path: Path) -> None:
    async def story() -> None:
        appliance = build_appliance(clock=SystemClock(), entropy=os.urandom, rng=random.Random(1))
        key = appliance.mint_api_key("pulse")
        journal: list[Any] = []
        mock = MockTrueNAS(appliance, clock=SystemClock(), journal=journal.append)
        await mock.start("127.0.0.1", 0)
        environ = {"PULSE_ENABLE_TRUENAS": "on", "PULSE_DATA_DIR": str(tmp_path), "FRONTEND_PORT": "0"}
        stack = Stack(environ, system_seams())
        await stack.start()
        address, port = stack.addresses[0]
        async with aiohttp.ClientSession(f"http://{address}:{port}") as session:
            record = {
                "host": "127.0.0.1",
                "port": mock.port,
                "useHttps": False,
                "apiKey": key,
                "pollIntervalSeconds": 1,
            }
            async with session.post("/api/truenas/connections", json=record) as answer:
                assert answer.status == 201

            async def resources() -> Any:
                async with session.get("/api/v2/resources") as answer:
                    return (await answer.json())["data"]

            assert len(await until(resources)) == 13
            async with session.get("/metrics") as answer:
                assert 'result="success"} ' in await answer.text()
        await stack.stop()
        await mock.stop()
        assert {entry.to_data()["status"] for entry in journal} == {200}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())
    assert (tmp_path / "registry.json").exists()


@pytest.mark.system
def test_serving_ends_with_status_zero_on_sigterm(tmp_path: Path) -> None:
    environ = {"PULSE_DATA_DIR": str(tmp_path), "FRONTEND_PORT": "0", "PULSE_ENABLE_TRUENAS": "1"}
    code = f"import asyncio\nfrom pulse_sim.stack.standalone import serve\nasyncio.run(serve({environ!r}))"
    process = subprocess.Popen([sys.executable, "-c", code])

    async def started() -> bool:
        return (tmp_path / ".encryption.key").exists()

    asyncio.run(until(started))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_an_address_in_use_and_a_bad_setting_are_plain_errors(tmp_path: Path) -> None:
    async def story() -> None:
        environ = {"PULSE_DATA_DIR": str(tmp_path), "FRONTEND_PORT": "0"}
        first = Stack(environ, system_seams())
        await first.start()
        second = Stack({**environ, "FRONTEND_PORT": str(first.addresses[0][1])}, system_seams())
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.stop()
        await first.stop()
        with pytest.raises(SettingsInvalid):
            await serve({"FRONTEND_PORT": "x"})

    asyncio.run(story())
