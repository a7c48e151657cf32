"""The config store through crashes and damage by the hundred; and the sweeps find a store that is careless."""

from pathlib import Path

from pulse_sim.kernel import Disk
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.store import ConnectionStore, StoreDamaged
from tests.stack.store_sweep import CRASHES, MUTATIONS, sweep_crashes, sweep_mutations
from tests.stack.storebed import Place, real, simulated


def test_a_thousand_crashes_leave_the_old_or_the_new_set_whole() -> None:
    swept = sweep_crashes()
    assert swept.faults == []
    assert swept.ends.total() == CRASHES
    assert set(swept.ends) == {"killed", "power lost", "power torn"}


def test_a_real_disk_keeps_the_old_or_the_new_set_of_a_killed_writer(tmp_path: Path) -> None:
    def fresh() -> Place:
        place = real(tmp_path / f"{len(list(tmp_path.iterdir()))}")
        Path(place.data_dir).parent.mkdir()
        return place

    swept = sweep_crashes(CRASHES // 20, seed=1, make_place=fresh)
    assert (swept.faults, swept.ends) == ([], {"killed": CRASHES // 20})


def test_damaged_files_are_typed_errors_or_load_as_they_are_and_stay() -> None:
    swept = sweep_mutations(MUTATIONS // 20)
    assert swept.faults == []
    assert set(swept.ends) == {"loaded", "content", "undecryptable", "key_damaged"}
    assert min(swept.ends.values()) > 10


def test_damaged_files_of_a_real_disk_are_typed_errors_or_load_as_they_are(tmp_path: Path) -> None:
    assert sweep_mutations(MUTATIONS // 100, seed=1, make_place=lambda: real(tmp_path)).faults == []


class ForgetsContents(Disk):
    """A store that does not sync its files."""

    def sync(self, path: str) -> None:
        if not path.endswith(".tmp"):
            super().sync(path)


class ForgetsNames(Disk):
    """A store that does not sync its directories."""

    def sync(self, path: str) -> None:
        if "." in path:
            super().sync(path)


def test_the_crashes_find_a_store_that_leaves_out_a_step() -> None:
    for careless in (ForgetsContents, ForgetsNames):
        assert sweep_crashes(200, make_place=lambda: Place(careless("d"), "/data")).faults, careless  # noqa: B023


class Mends(ConnectionStore):
    """A store that begins again where it cannot read."""

    def load(self, org: str = "default") -> tuple[Connection, ...]:
        try:
            return super().load(org)
        except StoreDamaged:
            self._disk.remove(self._file_of(org))
            return super().load(org)


class MendedPlace(Place):
    def unopened(self, seed: int = 1) -> ConnectionStore:
        whole = super().unopened(seed)
        whole.__class__ = Mends
        return whole


def test_the_mutations_find_a_store_that_overwrites_what_it_cannot_read() -> None:
    swept = sweep_mutations(100, make_place=lambda: MendedPlace(simulated().disk, "/data"))
    assert [
        fault for fault in swept.faults if "does not hold" in fault or "else was loaded" in fault or "crash" in fault
    ]
