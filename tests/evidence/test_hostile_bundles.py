"""Bundles made to harm whoever reads them are refused with one clear line, in no time, whoever signed them."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence import Manifest
from pulse_sim.evidence.envelope import Result, attest
from pulse_sim.evidence.hostile import MAX_FILES, MAX_NESTING
from pulse_sim.evidence.signing_key import signing_key
from pulse_sim.evidence.verification import Standing, Verification, verify_bundle
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal
from tests.evidence.rollout import sealed_verdict

PATIENCE_S = 20  # of a machine that has other things to do as well; the slowest takes less than one
DEEP = 100_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict")).path


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_run(tmp_path_factory.mktemp("run")).path


@pytest.fixture
def verdict(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / whole.name))


@pytest.fixture
def run(whole_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole_run, tmp_path / whole_run.name))


def refused(bundle: Path) -> str:
    """The first line of why the bundle is damaged."""
    started_s = time.monotonic()
    told = verify_bundle(bundle, [signing_key().public])
    assert time.monotonic() - started_s < PATIENCE_S
    assert told.standing is Standing.DAMAGED
    return first_line(told)


def first_line(told: Verification) -> str:
    lines = [*told.reasons, *(f"{one.place} differs" for one in told.differences)]
    assert lines and all("\n" not in line and len(line) < 1_000 for line in lines)
    return lines[0]


def test_a_link_to_a_file_of_this_machine_is_not_followed(verdict: Path) -> None:
    (verdict / "report.md").unlink()
    (verdict / "report.md").symlink_to("/etc/passwd")
    assert refused(verdict) == "report.md: is a link; a bundle holds plain files only"


@pytest.mark.parametrize("name", ["manifest.json", "attestation.json"])
def test_not_even_to_one_that_holds_the_right_bytes(verdict: Path, name: str) -> None:
    (verdict / name).rename(verdict.parent / name)
    (verdict / name).symlink_to(verdict.parent / name)
    assert "link" in refused(verdict)


def test_a_linked_directory_is_not_entered(verdict: Path) -> None:
    (verdict / "more").symlink_to("/")
    assert refused(verdict) == "more: is a link; a bundle holds plain files only"


def test_a_link_in_a_circle_ends(verdict: Path) -> None:
    (verdict / "runs" / "again").symlink_to(verdict)
    assert refused(verdict) == "runs/again: is a link; a bundle holds plain files only"


@pytest.mark.parametrize("name", ["report.md", "manifest.json", "attestation.json", "runs/pipe"])
def test_a_pipe_is_not_waited_for(verdict: Path, name: str) -> None:
    (verdict / name).unlink(missing_ok=True)
    os.mkfifo(verdict / name)
    assert f"{name}: is n" in refused(verdict)


def listing(bundle: Path, files: dict[str, Any], kind: str = "verdict") -> None:
    """A manifest that lists ``files`` as well, signed."""
    old = Manifest.read(bundle)
    manifest = Manifest(kind, old.inputs, {**old.files, **files})
    content = manifest.encode()
    (bundle / "manifest.json").write_bytes(content)
    attestation = attest(content, old.configuration(), Result.PASSED, signing_key())
    (bundle / "attestation.json").write_bytes(attestation)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "runs/../../outside", "a//b", "./a", "a\\b", "a\0b", ""])
def test_a_manifest_cannot_point_out_of_the_bundle(verdict: Path, name: str) -> None:
    (verdict.parent / "outside").write_bytes(b"hello")
    listing(verdict, {name: ("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", 5)})
    assert refused(verdict) in (f"{name}: is missing", f"{name}: is not a plain path inside the bundle")


@pytest.mark.parametrize("size", [10**30, 2**63, -1, 1.5, "1", None, True])
def test_a_size_that_is_none_is_refused(verdict: Path, size: Any) -> None:
    listing(verdict, {"report.md": ("0" * 64, size)})
    assert refused(verdict).startswith(("report.md: has ", "manifest.json: "))


def test_more_files_than_any_bundle_has_are_not_counted_to_the_end(verdict: Path) -> None:
    many = verdict / "many"
    many.mkdir()
    (many / "0").write_bytes(b"")
    for number in range(1, MAX_FILES + 10):
        os.link(many / str((number - 1) // 1_000 * 1_000), many / str(number))
    assert refused(verdict) == f".: more than {MAX_FILES} files and directories"


def test_directories_in_directories_end(verdict: Path) -> None:
    verdict.joinpath(*["d"] * (MAX_NESTING + 5)).mkdir(parents=True)
    assert refused(verdict).endswith(f"is nested deeper than {MAX_NESTING} directories")


@pytest.mark.parametrize("name", ["manifest.json", "attestation.json"])
def test_what_is_read_whole_is_bounded(verdict: Path, name: str) -> None:
    os.truncate(verdict / name, 64 * 1024**3)
    assert refused(verdict).startswith(f"{name}: is larger than ")


def test_a_listed_file_may_not_be_larger_than_any_log(verdict: Path) -> None:
    size = 8 * 1024**3
    (verdict / "huge").write_bytes(b"")
    os.truncate(verdict / "huge", size)
    listing(verdict, {"huge": ("0" * 64, size)})
    assert refused(verdict).startswith("huge: is larger than ")


YAML = {
    "alias": "id: &a [*a]\n",
    "billion laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nid: [*c, *c]\n",
    "merge": "<<: {id: x}\nid: y\n<<: {id: z}\n",
    "deep": "id: " + "[" * DEEP + "]" * DEEP,
    "deep blocks": "".join(" " * level + "a:\n" for level in range(500)),
    "duplicate key": "id: x\nid: y\n",
    "tag": "!!python/object/apply:os.system [true]\n",
    "binary": "\0\0\0",
    "not a number": "id: x\nversion: .nan\n",
    "infinite": "id: x\nversion: .inf\n",
    "a number of many digits": "id: " + "9" * 50_000,
    "many values": "id: [" + "a," * 50_000 + "]",
    "large": "# " + "x" * 2_000_000,
    "two documents": "id: x\n---\nid: y\n",
    "directive": "%YAML 1.1\n---\nid: x\n",
    "a list": "- 1\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", YAML)
def test_a_hostile_plan_is_refused_though_it_is_signed(verdict: Path, name: str) -> None:
    (verdict / "plan.yaml").write_text(YAML[name])
    reseal(verdict, result=Result.FAILED)
    assert refused(verdict)


@pytest.mark.parametrize("name", YAML)
def test_a_hostile_scenario_is_refused_though_it_is_signed(run: Path, name: str) -> None:
    (run / "scenario.yaml").write_text(YAML[name])
    reseal(run)
    assert refused(run)


JSON = {
    "not a number": b"NaN",
    "infinite": b'{"outcome":1e999}',
    "duplicate key": b'{"outcome":"passed","outcome":"failed"}',
    "deep": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a number of many digits": b'{"seed":' + b"9" * 50_000 + b"}",
    "half a surrogate": b'{"outcome":"\\ud800"}',
    "not text": b"\xff\xfe",
    "large": b'"' + b"x" * (9 * 1024 * 1024) + b'"',
    "null": b"null",
    "nothing": b"",
}


@pytest.mark.parametrize("document", ["checks.json", "observations.jsonl", "journal.jsonl", "checkpoints.jsonl"])
@pytest.mark.parametrize("name", JSON)
def test_a_hostile_document_of_a_run_is_refused_though_it_is_signed(run: Path, document: str, name: str) -> None:
    (run / document).write_bytes(JSON[name] + b"\n")
    reseal(run)
    assert refused(run)


@pytest.mark.parametrize("document", ["verdict.json", "packets.json"])
@pytest.mark.parametrize("name", JSON)
def test_a_hostile_document_of_a_verdict_is_refused_though_it_is_signed(
    verdict: Path, document: str, name: str
) -> None:
    (verdict / document).write_bytes(JSON[name] + b"\n")
    reseal(verdict)
    assert refused(verdict)


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("document", ["manifest.json", "attestation.json"])
def test_a_hostile_manifest_or_attestation_is_refused(run: Path, document: str, name: str) -> None:
    (run / document).write_bytes(JSON[name] + b"\n")
    assert refused(run).startswith(f"{document}: ")


@pytest.mark.parametrize(
    ("document", "change"),
    [
        ("observations.jsonl", lambda content: content.replace(b'"t":60000000000', b'"t":' + b"9" * 30, 1)),
        ("observations.jsonl", lambda content: content.replace(b'"t":', b'"t":9' + b"0" * 18, 1_000)),
        ("observations.jsonl", lambda content: content.replace(b'"from_ns":', b'"from_ns":-9' + b"0" * 18)),
        ("observations.jsonl", lambda content: content.replace(b'"poll_interval_ns":', b'"poll_interval_ns":9' * 1)),
        (
            "observations.jsonl",
            lambda content: content.replace(b'"poll_interval_ns":60000000000', b'"poll_interval_ns":0'),
        ),
        ("checkpoints.jsonl", lambda content: content.replace(b'"events":1000', b'"events":1' + b"0" * 40)),
        ("scenario.yaml", lambda content: content.replace(b"at_least: 1", b"at_least: 1" + b"0" * 17)),
        ("scenario.yaml", lambda content: content.replace(b"[5m, 10m]", b"[5m, 999999999h]")),
    ],
)
def test_huge_counts_and_times_cost_no_time(run: Path, document: str, change: Callable[[bytes], bytes]) -> None:
    """Some of them are what the owner of the trusted key says they are; then they are at least harmless."""
    before = (run / document).read_bytes()
    (run / document).write_bytes(change(before))
    assert (run / document).read_bytes() != before
    reseal(run)
    started_s = time.monotonic()
    verify_bundle(run, [signing_key().public])
    assert time.monotonic() - started_s < PATIENCE_S


def test_a_name_that_would_write_to_the_terminal_is_told_in_one_line(run: Path) -> None:
    (run / "evil\x1b[2J\nname").write_bytes(b"")
    told = verify_bundle(run, [])
    assert told.standing is Standing.DAMAGED and len(told.reasons) == 1


def test_a_name_that_is_no_text_is_damage(run: Path) -> None:
    (Path(os.fsdecode(os.fsencode(run) + b"/\xff\xfe"))).write_bytes(b"")
    assert "is not in the manifest" in verify_bundle(run, []).reasons[0]


def test_a_directory_nobody_may_look_into_is_damage(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", denied)
    assert verify_bundle(run, []).reasons[0] == ".: cannot be read: Permission denied"


def test_what_canonical_json_cannot_hold_is_no_manifest(run: Path) -> None:
    (run / "manifest.json").write_bytes(canonical_json({"version": 1, "kind": "run", "files": {"a": 1}}) + b"\n")
    assert refused(run).startswith("manifest.json: ")
