"""The simulated disk: what a file system promises and what it loses."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pulse_sim.kernel import Disk
from tests.kernel.testbed import Bench

NAMES = st.sampled_from(["a", "b", "c"])


def _disk() -> Disk:
    disk = Disk("pulse")
    disk.make_directory("/data", 0o700)
    disk.sync("/data")
    return disk


def test_what_was_written_is_read_with_its_mode() -> None:
    disk = _disk()
    disk.write("/data/key", b"secret", 0o600)
    assert (disk.read("/data/key"), disk.mode("/data/key"), disk.mode("/data")) == (b"secret", 0o600, 0o700)
    assert disk.names("/data") == ["key"]


def test_missing_files_and_directories_are_missing() -> None:
    disk = _disk()
    for act in (
        lambda: disk.read("/data/none"),
        lambda: disk.remove("/data/none"),
        lambda: disk.mode("/data/none"),
        lambda: disk.sync("/data/none"),
        lambda: disk.replace("/data/none", "/data/a"),
        lambda: disk.write("/nowhere/a", b"", 0o600),
        lambda: disk.names("/nowhere"),
    ):
        with pytest.raises(FileNotFoundError):
            act()


def test_permission_bits_change_and_stay_changed_without_power() -> None:
    disk = _disk()
    disk.write("/data/key", b"secret", 0o644)
    disk.sync("/data/key")
    disk.sync("/data")
    disk.set_mode("/data/key", 0o600)
    disk.set_mode("/data", 0o755)
    disk.lose_power()
    assert (disk.mode("/data/key"), disk.mode("/data")) == (0o600, 0o755)
    with pytest.raises(FileNotFoundError):
        disk.set_mode("/data/none", 0o600)


def test_a_lock_is_held_by_one_at_a_time_and_released_by_an_error() -> None:
    disk = _disk()
    with disk.lock("/data"), pytest.raises(BlockingIOError), disk.lock("/data/"):
        pass
    with pytest.raises(ZeroDivisionError), disk.lock("/data"):
        raise ZeroDivisionError
    with disk.lock("/data"):
        pass
    with pytest.raises(FileNotFoundError), disk.lock("/nowhere"):
        pass


def test_a_directory_is_not_a_file_nor_a_file_a_directory() -> None:
    disk = _disk()
    disk.write("/data/a", b"", 0o600)
    with pytest.raises(IsADirectoryError):
        disk.read("/data")
    with pytest.raises(IsADirectoryError):
        disk.write("/data", b"", 0o600)
    with pytest.raises(FileExistsError):
        disk.make_directory("/data/a", 0o700)


def test_a_safe_rewrite_survives_a_loss_of_power_and_a_careless_one_does_not() -> None:
    disk = _disk()
    disk.write("/data/store", b"old", 0o600)
    disk.sync("/data/store")
    disk.sync("/data")
    disk.write("/data/store.tmp", b"new", 0o600)
    disk.sync("/data/store.tmp")
    disk.replace("/data/store.tmp", "/data/store")
    disk.sync("/data")
    disk.lose_power()
    assert disk.read("/data/store") == b"new"
    disk.write("/data/store", b"careless", 0o600)
    disk.lose_power()
    assert disk.read("/data/store") == b"new"


def test_a_disk_that_lost_power_once_goes_on_keeping_its_promises() -> None:
    disk = _disk()
    disk.write("/data/a", b"one", 0o600)
    disk.sync("/data/a")
    disk.sync("/data")
    disk.lose_power()
    disk.write("/data/a", b"two", 0o600)
    disk.sync("/data/a")
    disk.lose_power()
    assert disk.read("/data/a") == b"two"


def test_changes_to_a_simulations_disk_are_in_its_trace() -> None:
    def digest(content: bytes) -> str:
        bench = Bench()

        async def main() -> None:
            bench.sim.disk("pulse").write("/a", content, 0o600)

        bench.sim.run(main())
        return bench.sim.trace.digest()

    assert digest(b"1") == digest(b"1") != digest(b"2")


class PowerLoss(RuleBasedStateMachine):
    """Against a model: a mapping now, and the mapping that a power loss would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = _disk()
        self.now: dict[str, list[bytes | None]] = {}
        self.names: dict[str, list[bytes | None]] = {}

    @rule(name=NAMES, data=st.binary(max_size=4))
    def write(self, name: str, data: bytes) -> None:
        self.disk.write(f"/data/{name}", data, 0o600)
        self.now.setdefault(name, [b"", None])[0] = data

    @rule(name=NAMES)
    def sync_file(self, name: str) -> None:
        if name in self.now:
            self.disk.sync(f"/data/{name}")
            self.now[name][1] = self.now[name][0]

    @rule()
    def sync_directory(self) -> None:
        self.disk.sync("/data")
        self.names = dict(self.now)

    @rule(source=NAMES, to=NAMES)
    def replace(self, source: str, to: str) -> None:
        if source in self.now:
            self.disk.replace(f"/data/{source}", f"/data/{to}")
            self.now[to] = self.now.pop(source)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.now:
            self.disk.remove(f"/data/{name}")
            del self.now[name]

    @rule()
    def lose_power(self) -> None:
        self.disk.lose_power()
        self.now = {name: [file[1], file[1]] for name, file in self.names.items() if file[1] is not None}
        self.names = dict(self.now)

    @invariant()
    def contents_agree(self) -> None:
        assert self.disk.files() == {f"/data/{name}": file[0] for name, file in self.now.items()}


TestPowerLoss = PowerLoss.TestCase
TestPowerLoss.settings = settings(deadline=None, max_examples=200)
