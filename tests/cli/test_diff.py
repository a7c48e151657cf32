"""``pulse-sim diff``: the first event in which two recorded runs differ, or honestly why there is none."""

import json
import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.cli.divergence import Divergence, compare
from pulse_sim.cli.job import RunJob, conduct, header_of
from pulse_sim.cli.recorded import first_difference, read_run
from pulse_sim.cli.rerun import Rerun, repeat
from pulse_sim.evidence import Manifest
from pulse_sim.evidence.checkpoints import Checkpoints, Mark
from pulse_sim.kernel.stretch import SeenEvent, StretchTrace
from pulse_sim.observation.secrecy import find_secret_forms
from pulse_sim.scenario.load import load_scenario
from tests.cli.command import Finished, ended, pulse_sim, under_way, wait_until
from tests.run.rehearsal import scenario

LATE = "tests.cli.late:after_forty_minutes"
ALL = 10**9


def run(directory: Path, **options: Any) -> Path:
    """The bundle of one run of an hour; ``options`` of the command line by name."""
    file = directory / "hour.yaml"
    if not file.exists():
        file.write_text(scenario(id="hour", duration="1h"), "utf-8")
    out = directory / "-".join(["out", *map(str, options.values())]).replace(":", "-")
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    (row,) = pulse_sim("run", file, "--json", "--out", out, *arguments).rows
    return Path(row["bundle"])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diff")


@pytest.fixture(scope="module")
def good(directory: Path) -> Path:
    return run(directory)


@pytest.fixture(scope="module")
def late(directory: Path) -> Path:
    return run(directory, sut=LATE)


@pytest.fixture(scope="module")
def seeded(directory: Path) -> Path:
    return run(directory, seed=2)


def diff(one: Path, other: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
    return pulse_sim("diff", one, other, *arguments, environment=environment)


def answered(one: Path, other: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = diff(one, other, "--json", *arguments)
    assert done.err == ""
    (row,) = done.rows
    return done.status, row


def changed(bundle: Path, copy: Path, name: str, content: bytes) -> Path:
    """A copy of a run with another file in it, whose manifest was made to fit."""
    shutil.copytree(bundle, copy)
    (copy / name).write_bytes(content)
    inputs = Manifest.read(copy).inputs
    (copy / "manifest.json").write_bytes(Manifest.measured(copy, "run", inputs).encode())
    return copy


def everything(directory: Path, sut: str, seed: int = 1) -> list[SeenEvent]:
    """All events of the run in this process, with their payloads as they were."""
    directory.mkdir()
    file = directory / "hour.yaml"
    file.write_text(scenario(id="hour", duration="1h"), "utf-8")
    job = RunJob(load_scenario(file), seed, sut, "fifo", directory, "", ())
    trace = StretchTrace(1, ALL, lambda: None)
    conduct(job, header_of(job), directory, trace)
    return list(trace.seen)


def what_happened(events: list[SeenEvent]) -> list[SeenEvent]:
    """Without the one event that tells of development mode, which the workers of a command are never in."""
    return [event for event in events if event.kind != "run"]


@pytest.mark.system
def test_equal_runs_have_no_difference(good: Path, tmp_path: Path) -> None:
    again = run(tmp_path)
    status, row = answered(good, again)
    assert (status, row["result"], row["inputs"], row["checkpoint"], row["event"]) == (
        0,
        "no difference",
        [],
        None,
        None,
    )
    done = diff(good, again)
    assert re.fullmatch(r"the inputs are the same\nno difference: the same \d+ events happened in 1h\S*\n", done.out)


@pytest.mark.system
def test_the_first_event_found_is_the_one_a_whole_comparison_finds(good: Path, late: Path, tmp_path: Path) -> None:
    status, row = answered(good, late, "--sut", LATE)
    assert (status, row["result"]) == (1, "different")
    assert {"input": "sut", "a": "reference", "b": LATE} in row["inputs"]
    one = what_happened(everything(tmp_path / "one", "reference"))
    other = what_happened(everything(tmp_path / "other", LATE))
    index = next(i for i in range(len(one)) if (one[i].at_ns, one[i].sha256) != (other[i].at_ns, other[i].sha256))
    assert index > 1_000
    assert row["event"]["number"] == index + 1
    assert row["checkpoint"]["equal"]["events"] == index // 1_000 * 1_000
    for name, events in (("a", one), ("b", other)):
        side, event = row["event"][name], events[index]
        told = side["event"]
        assert (told["number"], told["at_ns"], told["kind"], told["subject"], told["payload_sha256"]) == (
            index + 1,
            event.at_ns,
            event.kind,
            event.subject,
            event.sha256,
        )
        for place, near in (("before", events[index - 5 : index]), ("after", events[index + 1 : index + 6])):
            assert [seen["payload_sha256"] for seen in side[place]] == [seen.sha256 for seen in near]


@pytest.mark.system
def test_an_event_is_told_with_its_host_its_task_its_record_and_where_its_payload_differs(
    good: Path, late: Path
) -> None:
    _, row = answered(good, late, "--sut", LATE)
    one, other = row["event"]["a"]["event"], row["event"]["b"]["event"]
    assert (one["kind"], one["host"], one["task"], one["record"]) == ("data", "operator", 0, None)
    assert one["subject"].startswith("pulse:7655>operator:")
    assert one["excerpt"] != other["excerpt"]
    assert 'seconds_sum{instance="nas-1",instance_type="truenas"}' in one["excerpt"]
    sample = row["event"]["a"]["after"][0]
    assert (sample["kind"], sample["subject"], sample["task_name"]) == ("sampler/metrics", "pulse", "metrics")
    records = [json.loads(line) for line in (good / "observations.jsonl").read_bytes().splitlines()[1:]]
    (record,) = [record for record in records if record["seq"] == sample["record"]["seq"]]
    assert (record["source"], record["kind"], record["t"]) == ("sampler", "metrics", sample["at_ns"])
    told = diff(good, late, "--sut", LATE).out
    assert f"first differing event: {row['event']['number']}\n" in told
    assert re.search(
        r"^> A    \d+ at 40m17s\S*, operator, callback: data pulse:7655>operator:\d+, ", told, re.MULTILINE
    )
    assert re.search(
        r"^> B    \d+ at 40m17s\S*, operator, callback: data pulse:7655>operator:\d+, ", told, re.MULTILINE
    )


@pytest.mark.system
def test_seeds_differ_from_the_start(good: Path, seeded: Path) -> None:
    status, row = answered(good, seeded)
    assert (status, row["result"]) == (1, "different")
    assert [told for told in row["inputs"] if told["input"] == "seed"] == [{"input": "seed", "a": 1, "b": 2}]
    assert row["checkpoint"]["equal"] is None
    assert row["event"]["number"] < 20


@pytest.mark.system
def test_without_a_rerun_it_stops_at_the_checkpoint(good: Path, late: Path) -> None:
    status, row = answered(good, late, "--no-rerun")
    assert (status, row["result"], row["event"], row["why_no_event"]) == (1, "different", None, "--no-rerun")
    assert row["checkpoint"]["equal"]["events"] + 1_000 >= row["checkpoint"]["a"]["events"]


@pytest.mark.system
def test_a_system_that_a_bundle_names_is_not_imported_unless_the_command_line_names_it(
    good: Path, late: Path, tmp_path: Path
) -> None:
    checks = (late / "checks.json").read_bytes().replace(LATE.encode(), b"evil_plugin:system")
    copy = changed(late, tmp_path / "copy", "checks.json", checks)
    (tmp_path / "evil_plugin.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    done = pulse_sim("diff", good, copy, "--json", cwd=tmp_path)
    (row,) = done.rows
    assert (done.status, row["result"], row["event"]) == (1, "different", None)
    assert "say --sut-b evil_plugin:system to have that imported and run" in row["why_no_event"]
    assert not (tmp_path / "imported").exists()


@pytest.mark.system
@pytest.mark.parametrize("option", ["--sut", "--sut-a", "--sut-b"])
def test_another_system_than_that_of_the_run_is_wrong_usage(good: Path, late: Path, option: str) -> None:
    done = diff(good, late, option, "tests.broken:never_stale")
    assert (done.status, done.out) == (2, "")
    assert "only that repeats" in done.err


@pytest.mark.system
def test_what_is_no_whole_bundle_of_a_run_is_wrong_usage_and_named(good: Path, tmp_path: Path) -> None:
    cut = shutil.copytree(good, tmp_path / "cut")
    (cut / "checkpoints.jsonl").write_bytes((cut / "checkpoints.jsonl").read_bytes()[:-5])
    fitted = changed(good, tmp_path / "fitted", "checkpoints.jsonl", (cut / "checkpoints.jsonl").read_bytes())
    old = shutil.copytree(good, tmp_path / "old")
    (old / "checkpoints.jsonl").unlink()
    inputs = Manifest.read(old).inputs
    (old / "manifest.json").write_bytes(Manifest.measured(old, "run", inputs).encode())
    for wrong, what in (
        (tmp_path / "absent", "it has no manifest.json"),
        (cut, "the bundle is damaged: checkpoints.jsonl: is missing or has other content"),
        (fitted, "the bundle is damaged: checkpoints.jsonl: line 3: cut off"),
        (old, "it was written before there were any"),
    ):
        for arguments, name in (((wrong, good), "A"), ((good, wrong), "B")):
            done = pulse_sim("diff", *arguments)
            assert (done.status, done.out) == (2, "")
            assert done.err.startswith(f"error: run {name}: ")
            assert what in done.err
            assert done.err.count("\n") == 1


@pytest.mark.system
def test_a_scenario_that_no_longer_loads_is_one_clear_error(good: Path, seeded: Path, tmp_path: Path) -> None:
    text = (seeded / "scenario.yaml").read_bytes() + b"weather: fine\n"
    done = diff(good, changed(seeded, tmp_path / "copy", "scenario.yaml", text))
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "the scenario of a bundle is none for this version" in done.err
    assert "weather" in done.err


@pytest.mark.system
def test_a_run_that_this_code_does_not_reproduce_is_told_with_its_first_checkpoint(
    good: Path, seeded: Path, tmp_path: Path
) -> None:
    lines = (good / "checkpoints.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = re.sub(rb'"digest":"\w{64}"', b'"digest":"' + b"e" * 64 + b'"', lines[1])
    foreign = changed(good, tmp_path / "foreign", "checkpoints.jsonl", b"".join(lines))
    status, row = answered(good, foreign)
    assert (status, row["result"], row["event"]) == (4, "not reproduced", None)
    assert (row["not_reproduced"]["run"], row["not_reproduced"]["events"]) == ("B", json.loads(lines[1])["events"])
    told = diff(foreign, good)
    assert told.status == 4
    assert re.search(
        r"^run A is not reproduced by this code: after \d+ events the bundle has digest eeee", told.out, re.M
    )


@pytest.mark.system
def test_nothing_is_left_of_the_repetitions_and_the_bundles_stay_as_they_are(
    good: Path, late: Path, tmp_path: Path
) -> None:
    before = {file: file.read_bytes() for bundle in (good, late) for file in bundle.iterdir()}
    done = diff(good, late, "--sut", LATE, environment={"TMPDIR": str(tmp_path)})
    assert (done.status, done.err) == (1, "")
    assert list(tmp_path.iterdir()) == []
    assert {file: file.read_bytes() for bundle in (good, late) for file in bundle.iterdir()} == before
    assert [path.name for path in good.parent.iterdir()] == [good.name]


@pytest.mark.system
def test_interrupted_it_leaves_nothing(good: Path, late: Path, tmp_path: Path) -> None:
    with under_way("diff", good, late, "--sut", LATE, environment={"TMPDIR": str(tmp_path)}) as process:
        wait_until(lambda: any(tmp_path.iterdir()), "the repetitions")
        process.send_signal(signal.SIGTERM)
        done = ended(process)
    assert done.status == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.system
def test_no_excerpt_shows_a_secret_though_the_payloads_do(tmp_path: Path) -> None:
    events = everything(tmp_path / "whole", "reference")
    assert any(find_secret_forms(event.payload) for event in events)
    (tmp_path / "masked").mkdir()
    file = tmp_path / "whole" / "hour.yaml"
    job = RunJob(load_scenario(file), 1, "reference", "fifo", tmp_path / "masked", "", ())
    repeated = repeat(Rerun(job, {}, ALL, 1, len(events)))
    assert len(repeated.events) == len(events)
    for event, whole in zip(repeated.events, events, strict=True):
        assert find_secret_forms(event.payload) == []
        assert (event.sha256, event.size) == (whole.sha256, whole.size)
    heads = [event.payload for event in repeated.events if b"Authorization: " in event.payload]
    assert heads
    assert all(re.search(rb"Authorization: \*+\r\n", head) for head in heads)


def test_a_repetition_stops_as_soon_as_it_has_seen_enough(tmp_path: Path) -> None:
    whole = everything(tmp_path / "whole", "reference")
    (tmp_path / "part").mkdir()
    job = RunJob(load_scenario(tmp_path / "whole" / "hour.yaml"), 1, "reference", "fifo", tmp_path / "part", "", ())
    repeated = repeat(Rerun(job, {}, ALL, 300, 400))
    assert [event.number for event in repeated.events] == list(range(300, 401))
    assert [event.sha256 for event in repeated.events] == [event.sha256 for event in whole[299:400]]
    assert repeated.departure is None
    last = json.loads((tmp_path / "part" / "observations.jsonl").read_bytes().splitlines()[-1])
    assert last["t"] < whole[400].at_ns + 120 * 10**9


def test_a_repetition_that_departs_says_where(tmp_path: Path) -> None:
    events = len(everything(tmp_path / "whole", "reference"))
    job = RunJob(load_scenario(tmp_path / "whole" / "hour.yaml"), 1, "reference", "fifo", tmp_path, "", ())
    for name, digests, happened, first in (
        ("another digest", {1_000: "e" * 64}, ALL, (1_000, "the bundle has digest eeeeeeeeeeeeeeee…")),
        ("longer", {}, events + 7, (events, f"the repetition ends there, the run had {events + 7} events")),
        ("shorter", {}, events - 7, (events - 7, "the run ended there, the repetition goes on")),
    ):
        place = tmp_path / name
        place.mkdir()
        found = repeat(Rerun(RunJob(job.scenario, 1, "reference", "fifo", place, "", ()), digests, happened, 1, ALL))
        assert found.departure is not None
        assert (found.departure.events, found.departure.what[: len(first[1])]) == first


def checkpoints(*events: int, digest: str = "a") -> Checkpoints:
    marks = tuple(Mark(number, number, digest * 64) for number in events)
    return Checkpoints(marks, Mark(events[-1] + 1, events[-1], "f" * 64))


def test_the_first_differing_checkpoint_is_found_also_where_one_run_simply_ended() -> None:
    whole = checkpoints(1_000, 2_000, 2_500)
    assert first_difference(whole, whole) is None
    shorter = first_difference(whole, checkpoints(1_000, 2_000))
    assert shorter is not None
    assert (shorter.after, shorter.up_to, shorter.other) == (2_000, 2_500, None)
    other = first_difference(whole, checkpoints(1_000, 1_200))
    assert other is not None
    assert (other.after, other.up_to) == (1_000, 2_000)
    first = first_difference(whole, checkpoints(1_000, 2_000, 2_500, digest="b"))
    assert first is not None
    assert (first.after, first.up_to, first.equal) == (0, 1_000, None)


def event(number: int, payload: str = "a") -> SeenEvent:
    return SeenEvent(number, number, 0, None, None, "data", "a>b", 1, payload * 64, payload.encode())


def test_of_streams_of_unequal_length_one_is_told_to_have_ended() -> None:
    found = compare([event(1), event(2)], [event(1), event(2), event(3), event(4)])
    assert isinstance(found, Divergence)
    assert (found.number, found.one.event, found.one.after) == (3, None, ())
    assert [one.number for one in found.one.before] == [1, 2]
    assert found.other.event == event(3)
    assert found.other.after == (event(4),)


@pytest.mark.system
def test_a_bundle_is_read_only_as_far_as_its_manifest_vouches_for_it(good: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(good, tmp_path / "copy")
    (copy / "environment.json").write_text("{}")
    done = diff(good, copy)
    assert (done.status, "environment.json: is missing or has other content" in done.err) == (2, True)
    assert read_run(good).inputs["python"] is not None
