"""Writing a file safely, on both disks; and what only a real file system can have in a file's place."""

import contextlib
import errno
import os
import random
import socket
import stat
from pathlib import Path

import pytest

from pulse_sim.kernel import Disk
from pulse_sim.stack.disk import LARGEST_BYTES, RealDisk
from pulse_sim.stack.safe_write import (
    FileChanged,
    StaysOpen,
    close_to_others,
    make_safe_directory,
    remove_stale_temporaries,
    safe_write,
)
from pulse_sim.stack.store import Damage, StoreDamaged
from tests.stack.storebed import ONE, Deadly, Died, Place, real, simulated


@pytest.fixture(params=["simulated", "real"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made = simulated() if request.param == "simulated" else real(tmp_path)
    make_safe_directory(made.disk, made.data_dir)
    return made


def test_a_file_is_replaced_whatever_its_mode_was_and_is_private_afterwards(place: Place) -> None:
    path = f"{place.data_dir}/alerts.json"
    place.put(path, b"old", 0o644)
    safe_write(place.disk, path, b"new")
    assert (place.files(), place.disk.mode(path)) == ({"alerts.json": b"new"}, 0o600)


@pytest.mark.parametrize(("there", "expected"), [(None, b""), (b"", None), (b"a", b"b"), (b"a", None)])
def test_a_file_that_is_not_as_expected_stays(place: Place, there: bytes | None, expected: bytes | None) -> None:
    path = f"{place.data_dir}/alerts.json"
    if there is not None:
        place.put(path, there)
    before = place.files()
    with pytest.raises(FileChanged):
        safe_write(place.disk, path, b"new", expected=expected)
    assert place.files() == before
    safe_write(place.disk, path, b"new", expected=there)
    assert place.disk.read(path) == b"new"


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_what_a_dead_writer_left_is_removed_and_nothing_else(place: Place, part: float) -> None:
    path = f"{place.data_dir}/alerts.json"
    others = ("notes.tmp", "alerts.json.tmp", "alerts.json.0123456789abcdef", "a.0123456789abcdeF.tmp", ".tmp")
    for name in others:
        place.put(f"{place.data_dir}/{name}", b"mine")
    with pytest.raises(Died):
        safe_write(Deadly(place.disk, 0 if part < 1 else 1, part), path, b"new")
    left = set(place.files()) - set(others)
    assert len(left) == (1 if part else 0)
    assert remove_stale_temporaries(place.disk, place.data_dir) == sorted(left)
    assert set(place.files()) == set(others)


@pytest.mark.parametrize("dies_at", range(5))
def test_any_file_is_old_or_new_wherever_its_writer_dies_and_its_disk_is_torn(dies_at: int) -> None:
    path, old, new = "/data/registry.json", b"old" * 700, b"new" * 1400
    for seed in range(60):
        disk = Disk("d")
        make_safe_directory(disk, "/data")
        safe_write(disk, path, old)
        with contextlib.suppress(Died):
            safe_write(Deadly(disk, dies_at, seed % 3 / 2), path, new)
        disk.lose_power(random.Random(seed))
        assert disk.read(path) in ((new,) if dies_at == 4 else (old, new) if dies_at == 3 else (old,))


def test_what_a_living_writer_works_on_is_not_removed(place: Place) -> None:
    place.put(f"{place.data_dir}/alerts.json.0123456789abcdef.tmp", b"half")
    with place.disk.lock(place.data_dir), pytest.raises(BlockingIOError):
        remove_stale_temporaries(place.disk, place.data_dir)
    assert len(place.files()) == 1


class Full(Deadly):
    """A disk on which the `dies_at`-th change fails with an error instead."""

    def _act(self) -> None:
        try:
            super()._act()
        except Died:
            self._left = 10**6
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None


@pytest.mark.parametrize("fails_at", range(4))
def test_a_full_disk_is_a_typed_error_the_old_set_stays_and_nothing_is_left(place: Place, fails_at: int) -> None:
    place.store().save([ONE])
    before = place.files()
    # Opening syncs the data directory and the one above it.
    store = Place(Full(place.disk, 2 + fails_at, 0.5), place.data_dir).store()
    with pytest.raises(StoreDamaged) as caught:
        store.save([ONE, ONE])
    assert caught.value.damage is Damage.DISK
    if fails_at < 3:
        assert place.files() == before
        assert store.load() == (ONE,)
    assert sorted(place.files()) == sorted(before)


def test_directories_are_made_private_one_below_the_other(place: Place) -> None:
    deep = f"{place.data_dir}/orgs/acme"
    make_safe_directory(place.disk, deep)
    make_safe_directory(place.disk, deep)
    assert [place.disk.mode(path) for path in (f"{place.data_dir}/orgs", deep)] == [0o700, 0o700]


class Stubborn(Deadly):
    """A disk without permission bits of its own, as some mounted ones are."""

    def set_mode(self, path: str, mode: int, /) -> None:
        raise PermissionError(path, mode)


def test_a_key_that_cannot_be_closed_to_others_is_refused(place: Place) -> None:
    place.store().save([ONE])
    place.disk.set_mode(place.key, 0o640)
    stubborn = Place(Stubborn(place.disk, 10**6), place.data_dir)
    with pytest.raises(StaysOpen):
        close_to_others(stubborn.disk, place.key, 0o600)
    with pytest.raises(StoreDamaged) as caught:
        stubborn.store()
    assert caught.value.damage is Damage.OPEN_TO_OTHERS
    with pytest.raises(StoreDamaged):
        stubborn.unopened().load()


# ---- real disks only


def occupy(path: Path, kind: str) -> None:
    if kind == "link":
        path.symlink_to(path.parent / "elsewhere")
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(LARGEST_BYTES + 1)
    else:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket may have 107 bytes
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.parametrize("name", ["truenas.enc", ".encryption.key"])
@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "socket", "huge"])
def test_what_is_no_file_of_ours_is_a_typed_error_at_once_and_stays(tmp_path: Path, kind: str, name: str) -> None:
    place = real(tmp_path)
    place.store().save([ONE])
    path = Path(place.data_dir) / name
    path.unlink()
    occupy(path, kind)
    before = path.lstat()
    with pytest.raises(StoreDamaged) as caught:
        place.unopened().load()
    with pytest.raises(StoreDamaged):
        place.unopened().save([ONE])
    assert caught.value.damage is Damage.DISK
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert not (path.parent / "elsewhere").exists()


def test_the_data_directory_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir(0o755)
    (tmp_path / "data").symlink_to("volume")
    place = real(tmp_path)
    place.store().save([ONE])
    assert place.store().load() == (ONE,)
    assert (tmp_path / "data").is_symlink()
    assert stat.S_IMODE((tmp_path / "volume").stat().st_mode) == 0o700
    assert sorted(place.files()) == [".encryption.key", "truenas.enc"]


def test_a_failed_read_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        with pytest.raises(OSError, match="not a regular file"):
            RealDisk().read(str(tmp_path))
        with pytest.raises(OSError, match="not a regular file"), RealDisk().lock(str(tmp_path)):
            RealDisk().read(str(tmp_path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_system_without_locks_gives_them_to_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    place = real(tmp_path)
    mine, theirs = place.store(), place.store(seed=2)
    monkeypatch.setattr("fcntl.flock", unsupported)
    mine.load()
    with place.disk.lock(place.data_dir):
        theirs.save([ONE])
    with pytest.raises(StoreDamaged):
        mine.save([])
    assert mine.load() == (ONE,)


def test_a_directory_that_cannot_be_synced_is_no_reason_not_to_write_and_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, fsync = real(tmp_path), os.fsync
    place.store()

    def refuses(wanted: int) -> None:
        def refusing(descriptor: int) -> None:
            if stat.S_IFMT(os.fstat(descriptor).st_mode) == wanted:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            fsync(descriptor)

        monkeypatch.setattr("os.fsync", refusing)

    refuses(stat.S_IFDIR)
    place.store().save([ONE])
    refuses(stat.S_IFREG)
    with pytest.raises(StoreDamaged):
        place.store().save([])
    assert place.store().load() == (ONE,)


def test_the_umask_opens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        real(tmp_path / "a").store().save([ONE], "acme")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    directories = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()}
    assert (modes, directories) == ({0o600}, {0o700})
