"""The checkpoints of a run on disk: exactly what a trace leaves, or refused with the line."""

from pathlib import Path

import pytest

from pulse_sim.evidence import BundleDamaged, Manifest, recheck
from pulse_sim.evidence.checkpoints import CheckpointWriter, Mark, read_checkpoints, require_agreement
from pulse_sim.outcome import Outcome
from tests.evidence.recording import EVENTS, TRACE_DIGEST, sealed_run
from tests.evidence.resealing import reseal

FILE = "checkpoints.jsonl"


def line(events: object, at_ns: object = 5, digest: object = "a" * 64) -> str:
    texts = [value if isinstance(value, int | float) else f'"{value}"' for value in (at_ns, digest, events)]
    return '{"at_ns":%s,"digest":%s,"events":%s}\n' % tuple(texts)  # noqa: UP031 - braces


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    marks = [Mark(events, events // 2, f"{events:064x}") for events in (1_000, 2_000, 2_001, 2_002)]
    with CheckpointWriter(tmp_path) as writer:
        for mark in marks:
            writer.write(mark)
    found = read_checkpoints(tmp_path)
    assert [*found.happened, found.end] == marks


def test_a_second_run_does_not_write_over_the_checkpoints_of_the_first(tmp_path: Path) -> None:
    with CheckpointWriter(tmp_path), pytest.raises(FileExistsError):
        CheckpointWriter(tmp_path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "line 1: the end of the run is missing"),
        (line(7), "line 2: the end of the run is missing"),
        (line(7) + line(8)[:-1], "line 2: cut off"),
        (line(7) + "\n", "line 2: "),
        (line(7) + "{}\n", "line 2: a checkpoint has the keys at_ns, digest and events"),
        (line(7) + "[]\n", "line 2: a checkpoint has the keys"),
        (line("7") + line(8), "line 1: at_ns and events are integers"),
        (line(7, -1) + line(8), "line 1: at_ns and events are integers"),
        (line(7, 5.0) + line(8), "line 1: at_ns and events are integers"),
        (line(7) + line(8, digest="A" * 64), "line 2: is not written as this tool writes it"),
        (line(7) + line(8, digest="a" * 63), "line 2: is not written as this tool writes it"),
        (line(7) + line(8).replace(":", ": "), "line 2: is not written as this tool writes it"),
        (line(7) + line(9), "line 2: ends after 9 events, 7 happened"),
        (line(0) + line(1), "line 1: is after 0 events, not after 1 to 1000"),
        (line(1_001) + line(1_002), "line 1: is after 1001 events, not after 1 to 1000"),
        (line(1_000) + line(3_000) + line(3_001), "line 2: is after 3000 events, not after 1001 to 2000"),
        (line(999) + line(1_000) + line(1_001), "line 1: is after 999 events, not 1000"),
        (line(1_000) + line(1_000) + line(1_001), "line 2: is after 1000 events"),
        (line(1_000, 9) + line(2_000, 8) + line(2_001, 9), "line 2: time goes back from 9 to 8"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path: Path, content: str, what: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(BundleDamaged) as caught:
        read_checkpoints(tmp_path)
    assert str(caught.value).startswith(f"{FILE}: {what}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleDamaged, match=f"{FILE}: cannot be read"):
        read_checkpoints(tmp_path)


def test_the_end_is_that_of_the_trace_and_of_the_log(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(line(7) + line(8))
    found = read_checkpoints(tmp_path)
    require_agreement(found, "a" * 64, 5)
    require_agreement(found, "a" * 64, None)
    with pytest.raises(BundleDamaged, match="line 2: ends with another digest"):
        require_agreement(found, "b" * 64, 5)
    with pytest.raises(BundleDamaged, match="line 2: ends at 5 ns, the log at 6 ns"):
        require_agreement(found, "a" * 64, 6)


def test_a_whole_bundle_is_passed_and_lists_its_checkpoints(tmp_path: Path) -> None:
    bundle = sealed_run(tmp_path).path
    assert recheck(bundle).outcome is Outcome.PASSED
    assert FILE in Manifest.read(bundle).files
    assert (read_checkpoints(bundle).happened[-1].events, read_checkpoints(bundle).end.digest) == (EVENTS, TRACE_DIGEST)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_bytes(b""), "line 1: the end of the run is missing"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "line 5: cut off"),
        (lambda file: file.write_bytes(b"".join(file.read_bytes().splitlines(True)[:-1])), "line 4: ends after 3210"),
        (lambda file: file.write_bytes(b"".join(file.read_bytes().splitlines(True)[1:])), "line 1: is after 2000"),
        (
            lambda file: file.write_bytes(file.read_bytes().replace(b"abab", b"cdcd")),
            "line 5: ends with another digest",
        ),
        (lambda file: file.write_bytes(file.read_bytes().replace(b":1500000000000,", b":1500000000001,")), "line 5: "),
    ],
    ids=["gone", "empty", "cut", "without its end", "without its beginning", "another digest", "another end"],
)
@pytest.mark.parametrize("sealed_again", [False, True], ids=["", "and the manifest made to fit"])
def test_a_bundle_with_damaged_checkpoints_is_never_passed(
    tmp_path: Path, damage: object, what: str, sealed_again: bool
) -> None:
    bundle = sealed_run(tmp_path).path
    assert callable(damage)
    damage(bundle / FILE)
    if sealed_again:
        reseal(bundle)
    found = recheck(bundle)
    assert found.outcome is Outcome.INCONCLUSIVE
    (reason,) = found.reasons
    assert f"{FILE}: {what if sealed_again else ''}" in reason
