"""Several processes on one real data directory: they take turns, lose no update, and may be killed at any moment."""

import subprocess
import sys
from pathlib import Path

import pytest

from pulse_sim.stack.connection import Connection
from pulse_sim.stack.safe_write import safe_write
from pulse_sim.stack.standalone import system_seams
from pulse_sim.stack.store import ConnectionStore
from tests.stack.storebed import Place, real

pytestmark = pytest.mark.system

OPEN = """\
import sys
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.standalone import system_seams
from pulse_sim.stack.store import ConnectionStore, Damage, StoreDamaged
store = ConnectionStore(sys.argv[1], system_seams())
store.open()
"""

ADDS_TEN = (
    OPEN
    + """
number = 0
while number < 10:
    try:
        mine = Connection(id=f"{sys.argv[2]}-{number}", host=f"{sys.argv[2]}-{number}.lan", api_key="1-x")
        store.save([*store.load(), mine])
        number += 1
    except StoreDamaged as damage:
        assert damage.damage in (Damage.CHANGED, Damage.BUSY), damage
"""
)

WRITES_FOR_EVER = (
    OPEN
    + """
number = len(store.load())
while True:
    number = number % 40 + 1
    store.save([Connection(id=f"n{i}", host=f"n{i}.lan", api_key=f"1-{number}") for i in range(number)])
    print("saved", flush=True)
"""
)


def process(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def store_of(place: Place) -> ConnectionStore:
    store = ConnectionStore(place.data_dir, system_seams())
    store.open()
    return store


def test_processes_that_start_and_write_at_once_make_one_key_and_lose_no_connection(tmp_path: Path) -> None:
    place = real(tmp_path)
    writers = [process(ADDS_TEN, place.data_dir, name) for name in "abc"]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    found = [connection.id for connection in store_of(place).load()]
    assert sorted(found) == sorted(f"{name}-{number}" for name in "abc" for number in range(10))
    assert sorted(place.files()) == [".encryption.key", "truenas.enc"]


def test_a_writer_killed_at_any_moment_leaves_a_whole_set_while_others_read(tmp_path: Path) -> None:
    place = real(tmp_path)
    for kill in range(5):
        writer = process(WRITES_FOR_EVER, place.data_dir)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "saved\n"
        reader = ConnectionStore(place.data_dir, system_seams())
        for _ in range(100 + 37 * kill):
            assert_whole(reader.load())
        writer.kill()
        writer.communicate(timeout=20)
        assert_whole(store_of(place).load())
        assert sorted(place.files()) == [".encryption.key", "truenas.enc"]


def assert_whole(found: tuple[Connection, ...]) -> None:
    """One of the sets that was saved: as many connections as their key says."""
    assert {connection.api_key for connection in found} in (set(), {f"1-{len(found)}"})


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    place = real(tmp_path)
    store = store_of(place)
    holds = "with system_seams().disk.lock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-c", OPEN + holds, place.data_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            safe_write(place.disk, f"{place.data_dir}/registry.json", b"{}")
        holder.kill()
        holder.wait(20)
        store.save([])
