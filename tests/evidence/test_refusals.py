"""What is refused of a bundle's files and manifest, in exactly these words, and what just passes."""

import hashlib
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence import BundleDamaged, Manifest, recheck
from pulse_sim.evidence import hostile as reading
from pulse_sim.evidence.hostile import (
    files_below,
    measure,
    read_document,
    read_json,
    read_yaml,
    require_plain_path,
    size_of,
)
from pulse_sim.outcome import Outcome

SHA = hashlib.sha256(b"hello").hexdigest()
MANIFEST: dict[str, Any] = {
    "version": 1,
    "kind": "run",
    "files": {"scenario.yaml": {"sha256": SHA, "bytes": 5}},
    "seed": 7,
    "scenario": "auth",
}
SHAPE = "manifest.json: names no known kind of bundle or no files"
BAD_KINDS: tuple[object, ...] = ("plan", "", None, [], {})
VERSION = "manifest.json: is not a manifest of version 1"
FILE = "manifest.json: says of 'scenario.yaml' something else than sha256 and bytes"
TYPES = "manifest.json: gives 'scenario.yaml' a digest or size of the wrong type"
WRITTEN = "manifest.json: is not written as this tool writes it (canonical JSON and a newline)"


@pytest.fixture(name="root")
def a_directory(tmp_path: Path) -> Path:
    root = tmp_path / "bundle"
    (root / "runs" / "one").mkdir(parents=True)
    (root / "runs" / "one" / "a.txt").write_bytes(b"hello")
    (root / "b.txt").write_bytes(b"")
    return root


def damage_of(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(BundleDamaged) as refusal:
        call(*arguments, **options)
    assert str(refusal.value) == f"{refusal.value.place}: {refusal.value.what}"
    return str(refusal.value)


def test_the_files_below_a_directory_are_listed_by_their_paths(root: Path) -> None:
    assert files_below(root) == ["b.txt", "runs/one/a.txt"]


def test_a_link_a_socket_and_a_missing_directory_are_refused_by_name(root: Path, tmp_path: Path) -> None:
    assert damage_of(files_below, tmp_path / "gone") == ".: cannot be read: No such file or directory"
    (root / "runs" / "link").symlink_to(root / "b.txt")
    assert damage_of(files_below, root) == "runs/link: is a link; a bundle holds plain files only"
    (root / "runs" / "link").unlink()
    os.mkfifo(root / "runs" / "pipe")
    assert damage_of(files_below, root) == "runs/pipe: is neither a file nor a directory"


def test_as_many_entries_as_allowed_are_listed_and_one_more_is_not(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILES", 4)
    assert len(files_below(root)) == 2
    (root / "c.txt").write_bytes(b"")
    assert damage_of(files_below, root) == ".: more than 4 files and directories"


def test_directories_may_be_as_deep_as_allowed_and_no_deeper(root: Path) -> None:
    deep = root / "/".join("d" * reading.MAX_NESTING)
    deep.mkdir(parents=True)
    (deep / "a").write_bytes(b"")
    assert len(files_below(root)) == 3
    (deep / "d").mkdir()
    assert damage_of(files_below, root) == f"{'d/' * 16}d: is nested deeper than 16 directories"


@pytest.mark.parametrize(
    "place", ["", "/b.txt", "..", "runs/../b.txt", "./b.txt", "runs//one", "a\\b", "a\0b", "runs/"]
)
def test_a_path_that_is_not_plain_is_refused_before_it_is_looked_at(root: Path, place: str) -> None:
    assert damage_of(require_plain_path, root, place) == f"{place}: is not a plain path inside the bundle"


def test_a_path_through_a_link_is_refused_and_a_plain_one_is_that_below_the_root(root: Path) -> None:
    assert require_plain_path(root, "runs/one/a.txt") == root / "runs" / "one" / "a.txt"
    (root / "again").symlink_to(root / "runs")
    assert damage_of(require_plain_path, root, "again/one/a.txt") == "again/one/a.txt: is or goes through a link"
    long = "a//" + "b" * 300
    assert damage_of(require_plain_path, root, long) == f"{long[:200]}: is not a plain path inside the bundle"


def test_a_file_has_its_size_its_digest_and_its_content(root: Path) -> None:
    assert size_of(root, "runs/one/a.txt") == 5
    assert measure(root, "runs/one/a.txt") == (SHA, 5)
    assert measure(root, "b.txt") == (hashlib.sha256(b"").hexdigest(), 0)
    assert read_document(root, "runs/one/a.txt", limit=5) == b"hello"
    assert damage_of(read_document, root, "runs/one/a.txt", limit=4) == "runs/one/a.txt: is larger than 4 bytes"


def test_a_file_of_more_than_one_piece_is_read_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 2)
    assert measure(root, "runs/one/a.txt") == (SHA, 5)
    assert read_document(root, "runs/one/a.txt", limit=5) == b"hello"


def test_a_file_that_grows_while_it_is_read_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def smaller(descriptor: int) -> os.stat_result:
        told = list(real(descriptor))
        told[6] = 0
        return os.stat_result(told)

    monkeypatch.setattr(os, "fstat", smaller)
    assert read_document(root, "runs/one/a.txt", limit=5) == b"hello"
    assert damage_of(read_document, root, "runs/one/a.txt", limit=4) == "runs/one/a.txt: is larger than 4 bytes"


@pytest.mark.parametrize("call", [size_of, measure, read_document, read_json, read_yaml])
def test_a_file_that_is_not_there_is_told_by_name(root: Path, call: Any) -> None:
    assert damage_of(call, root, "gone") == "gone: cannot be read: No such file or directory"


def test_a_directory_a_pipe_and_a_socket_are_no_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(root)
        listening.bind("s")
    assert damage_of(measure, root, "runs") == "runs: cannot be read: Is a directory"
    assert damage_of(measure, root, "pipe") == "pipe: is not a plain file"
    assert damage_of(measure, root, "s").startswith("s: cannot be read: ")


def test_json_and_yaml_are_read_strictly(root: Path) -> None:
    (root / "b.txt").write_bytes(b'{"a": 1}')
    assert read_json(root, "b.txt") == read_yaml(root, "b.txt") == {"a": 1}
    (root / "b.txt").write_bytes(b'{"a": 1, "a": 2}')
    assert damage_of(read_json, root, "b.txt").startswith("b.txt: is not JSON as written here: ")
    assert damage_of(read_yaml, root, "b.txt").startswith("b.txt: line 1: ")
    (root / "b.txt").write_bytes(b"[]\n")
    assert damage_of(read_yaml, root, "b.txt").startswith("b.txt: line 1: ")


def manifest(root: Path, value: Any) -> Path:
    (root / "manifest.json").write_bytes(canonical_json(value) + b"\n")
    return root


def test_a_manifest_is_this_document_and_is_read_back(root: Path) -> None:
    found = Manifest.read(manifest(root, MANIFEST))
    assert found == Manifest("run", {"seed": 7, "scenario": "auth"}, {"scenario.yaml": (SHA, 5)})
    assert found.encode() == canonical_json(MANIFEST) + b"\n"
    assert found.configuration() == ("scenario.yaml", SHA)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], VERSION),
        ({**MANIFEST, "version": 2}, VERSION),
        ({**MANIFEST, "version": True}, VERSION),
        ({name: MANIFEST[name] for name in ("kind", "files")}, VERSION),
        *(({**MANIFEST, "kind": kind}, SHAPE) for kind in BAD_KINDS),
        ({**MANIFEST, "files": []}, SHAPE),
        *(
            ({**MANIFEST, "files": {"scenario.yaml": value}}, FILE)
            for value in (None, {"sha256": SHA}, {"bytes": 5}, {"sha256": SHA, "bytes": 5, "mode": 1})
        ),
        *(
            ({**MANIFEST, "files": {"scenario.yaml": {"sha256": sha, "bytes": size}}}, TYPES)
            for sha, size in ((None, 5), (SHA, -1), (SHA, True), (SHA, "5"))
        ),
    ],
    ids=str,
)
def test_a_manifest_of_another_shape_is_refused_and_voids_its_bundle(root: Path, value: object, told: str) -> None:
    assert damage_of(Manifest.read, manifest(root, value)) == told
    found = recheck(root)
    assert (found.outcome or found.verdict, found.is_intact) in ((Outcome.INCONCLUSIVE, False), ("NO_GO", False))
    assert found.reasons == (f"the bundle is damaged: {told}",)


def test_an_empty_file_may_be_listed_and_other_bytes_of_the_same_manifest_may_not(root: Path) -> None:
    empty = {**MANIFEST, "files": {"scenario.yaml": {"sha256": SHA, "bytes": 0}}}
    assert Manifest.read(manifest(root, empty)).files == {"scenario.yaml": (SHA, 0)}
    (root / "manifest.json").write_bytes(canonical_json(MANIFEST))
    assert damage_of(Manifest.read, root) == WRITTEN


@pytest.mark.parametrize(
    ("kind", "name"), [("run", "scenario.yaml"), ("verdict", "plan.yaml"), ("gate", "catalogue.json")]
)
def test_every_kind_of_bundle_lists_what_was_to_be_done(kind: str, name: str) -> None:
    assert Manifest(kind, {}, {name: (SHA, 5)}).configuration() == (name, SHA)
    assert damage_of(Manifest(kind, {}, {"another": (SHA, 5)}).configuration) == f"manifest.json: lists no {name}"


def test_every_file_that_is_not_as_listed_is_told(root: Path) -> None:
    listed = Manifest("run", {}, {"runs/one/a.txt": (SHA, 5), "b.txt": (SHA, 0), "c.txt": (SHA, 1), "d.txt": (SHA, 2)})
    (root / "d.txt").write_bytes(b"d")
    (root / "extra").write_bytes(b"")
    (root / "manifest.json").write_bytes(b"")
    (root / "attestation.json").write_bytes(b"")
    assert [str(one) for one in listed.damages(root)] == [
        "extra: is not in the manifest",
        "b.txt: has other content than the manifest says (SHA-256 differs)",
        "c.txt: is missing",
        "d.txt: has 1 bytes, the manifest says 2",
    ]
    measured = Manifest.measured(root, "run", {"seed": 7})
    assert (measured.inputs, sorted(measured.files)) == ({"seed": 7}, ["b.txt", "d.txt", "extra", "runs/one/a.txt"])
    assert measured.damages(root) == []


@pytest.mark.parametrize("name", ["scenario", "plan", "seed", "trace_digest", "outcome_digest"])
def test_an_input_told_otherwise_in_a_document_is_told(name: str) -> None:
    listed = Manifest("run", {name: "one", "other": 1}, {})
    assert [str(one) for one in listed.disagreements("checks.json", {name: "two", "other": 2})] == [
        f"manifest.json: says another {name} than checks.json"
    ]
    assert listed.disagreements("checks.json", {name: "one"}) == listed.disagreements("checks.json", {}) == []


def test_a_listed_file_that_cannot_be_read_is_told_among_the_damages(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Manifest.measured(root, "run", {})
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 4)
    assert [str(one) for one in listed.damages(root)] == ["runs/one/a.txt: is larger than 4 bytes"]


@pytest.mark.parametrize("call", [size_of, measure])
def test_an_error_without_words_is_told_as_unknown(root: Path, monkeypatch: pytest.MonkeyPatch, call: Any) -> None:
    def broken(*arguments: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "is_symlink", lambda path: False)
    monkeypatch.setattr(Path, "lstat", broken)
    monkeypatch.setattr(os, "open", broken)
    assert damage_of(call, root, "b.txt") == "b.txt: cannot be read: unknown error"


def test_a_directory_that_cannot_be_listed_is_told_by_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise OSError

    monkeypatch.setattr(os, "scandir", broken)
    assert damage_of(files_below, root) == ".: cannot be read: unknown error"


def test_of_a_long_name_as_much_is_told_as_fits_a_line(root: Path) -> None:
    name = "n" * 201
    for value, what in (
        ({}, "manifest.json: says of {name!r} something else than sha256 and bytes"),
        ({"sha256": SHA, "bytes": -1}, "manifest.json: gives {name!r} a digest or size of the wrong type"),
    ):
        told = damage_of(Manifest.read, manifest(root, {**MANIFEST, "files": {name: value}}))
        assert told == what.format(name=name[:200])
