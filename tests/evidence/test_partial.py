"""A directory becomes a bundle in one step, also where a file system cannot swap two names."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from pulse_sim.evidence import partial
from pulse_sim.evidence.partial import PartialBundle, point_latest
from pulse_sim.outcome import Outcome


def seal(directory: Path, content: bytes) -> Path:
    with PartialBundle(directory, "a label/") as bundle:
        assert bundle.path.name.startswith(".partial-a-label-")
        assert bundle.path.stat().st_mode & 0o777 == 0o755
        bundle.write("deep/er/scenario.yaml", b"x")
        bundle.write("scenario.yaml", content)
        return bundle.seal("one", "run", {"seed": 7}, result=Outcome.PASSED)


def test_a_bundle_of_the_same_name_is_replaced_whole_where_names_cannot_be_swapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(tmp_path, b"before")
    monkeypatch.setattr(partial, "_exchange", lambda one, other: False)
    assert (seal(tmp_path, b"after") / "scenario.yaml").read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_two_directories_change_names(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        (path / path.name).touch()
    assert partial._exchange(one, other) is True
    assert ((one / "other").exists(), (other / "one").exists()) == (True, True)


def test_what_cannot_be_renamed_at_all_is_an_error_that_names_both(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        partial._exchange(tmp_path / "gone", tmp_path / "other")
    assert (error.value.errno, error.value.strerror) == (errno.ENOENT, "No such file or directory")
    assert (error.value.filename, error.value.filename2) == (str(tmp_path / "gone"), str(tmp_path / "other"))


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_knows_no_swap_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(ctypes, "get_errno", lambda: number)
    assert partial._exchange(tmp_path / "gone", tmp_path / "other") is False


def test_a_target_that_cannot_be_replaced_is_an_error_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError):
        seal(tmp_path, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_every_file_and_the_directory_are_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    seal(tmp_path, b"x")
    assert sorted(synced[:4]) == ["attestation.json", "manifest.json", "scenario.yaml", "scenario.yaml"]
    assert synced[4:] == [tmp_path.name]


def test_a_library_that_knows_no_swap_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno=False: object())
    assert partial._exchange(tmp_path / "one", tmp_path / "other") is False


def test_latest_is_swapped_from_a_workplace_beside_it_that_nobody_takes_for_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    real = Path.symlink_to

    def noted(link: Path, target: str) -> None:
        made.append(link)
        real(link, target)

    monkeypatch.setattr(Path, "symlink_to", noted)
    for name in ("one", "other"):
        link = point_latest(tmp_path / name)
        assert (link, str(link.readlink())) == (tmp_path / "latest", name)
    assert all(link.parent.parent == tmp_path and link.name == "latest" for link in made)
    assert all(link.parent.name.startswith(".partial-latest-") for link in made)
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]
