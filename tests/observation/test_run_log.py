"""The reader of the observation log: what it refuses and what it answers."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.checks import judge_run
from pulse_sim.observation import LogDamaged, RunLog, Sample, Source
from pulse_sim.observation.open_metrics import open_metrics
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, poll_errors, poll_total


def sound() -> LogBuilder:
    log = LogBuilder().phase("0s", "steady").scrape("17s", {poll_total("success"): 1, "up": 1})
    log.resources("20s", {"nas-1": {}, "nas-1/pool:tank": {}}).health("20s")
    log.request("30s").request("31s").scrape("1m17s", {poll_total("success"): 2})
    log.fault("2m", "3m").action("4m", "remove_connection", id="nas-1").resources("5m", {"nas-1": {}})
    return log.add("5m", "world/disk", "pulse", files={}, leaks=[])


OBSERVATIONS, JOURNAL = sound().files("6m")


def lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def refusal(observations: bytes = OBSERVATIONS, journal: bytes = JOURNAL) -> str:
    with pytest.raises(LogDamaged) as caught:
        RunLog.parse(observations, journal)
    return str(caught.value)


def edited(number: int, **changes: Any) -> bytes:
    """The observations with fields of one line changed; ``data__x`` stands for the field x of its data."""
    content = lines(OBSERVATIONS)
    record = json.loads(content[number - 1])
    for name, value in changes.items():
        place, _, field = name.partition("__")
        if field:
            record[place][field] = value
        else:
            record[place] = value
    content[number - 1] = json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return b"".join(content)


def test_a_sound_log_is_read() -> None:
    log = RunLog.parse(OBSERVATIONS, JOURNAL)
    assert [record.seq for record in log.records] == list(range(len(lines(OBSERVATIONS)) + len(lines(JOURNAL)) - 2))
    assert list(log.raw_lines())[1] == ("observations.jsonl", 2, lines(OBSERVATIONS)[1])
    assert b"".join(line for name, _, line in log.raw_lines() if name == "journal.jsonl") == JOURNAL


def test_a_last_line_without_its_end_is_refused_with_its_place() -> None:
    last = len(lines(OBSERVATIONS))
    assert refusal(OBSERVATIONS[:-1]) == f"observations.jsonl line {last}: cut off"
    assert refusal(OBSERVATIONS[:-9]) == f"observations.jsonl line {last}: cut off"
    assert refusal(journal=JOURNAL[:-1]) == "journal.jsonl line 3: cut off"


def test_every_truncation_is_refused() -> None:
    for length in range(len(OBSERVATIONS)):
        refusal(OBSERVATIONS[:length])
    for length in range(len(JOURNAL)):
        refusal(journal=JOURNAL[:length])


@pytest.mark.parametrize("which", [0, 1])
def test_any_line_deleted_duplicated_or_swapped_with_the_next_is_refused(which: int) -> None:
    files = [OBSERVATIONS, JOURNAL]
    content = lines(files[which])
    for index in range(len(content)):
        changes = [content[:index] + content[index + 1 :], content[: index + 1] + content[index:]]
        if index + 1 < len(content):
            changes.append([*content[:index], content[index + 1], content[index], *content[index + 2 :]])
        for changed in changes:
            damaged = list(files)
            damaged[which] = b"".join(changed)
            refusal(*damaged)


def test_a_gap_in_the_sequence_is_refused_at_the_next_line() -> None:
    content = lines(OBSERVATIONS)
    assert refusal(b"".join(content[:3] + content[4:])) == (
        "observations.jsonl line 4: record 2 is not where it belongs"
    )


def test_time_that_goes_back_is_refused_also_from_one_file_to_the_other() -> None:
    assert "time goes back" in refusal(edited(6, t=1))
    journal = lines(JOURNAL)
    late = json.loads(journal[2]) | {"t": 10 * MINUTE}
    journal[2] = json.dumps(late).encode() + b"\n"
    assert "time goes back from 600000000000" in refusal(journal=b"".join(journal))


def test_a_log_goes_on_to_its_end_and_not_beyond() -> None:
    content = lines(OBSERVATIONS)
    last = len(content)
    assert "no world/end" in refusal(b"".join(content[:-1]))
    more = json.loads(content[-1])
    again = json.dumps(more | {"seq": more["seq"] + 1}).encode() + b"\n"
    assert "the log goes on" in refusal(OBSERVATIONS + again)
    assert "records and" in refusal(edited(last, data__records=3))
    assert "records and" in refusal(edited(last, data__requests=1))


def test_an_unknown_version_or_another_format_is_refused() -> None:
    for version in (0, 1, 3, "2", True, 2.0, None):
        header = json.loads(lines(OBSERVATIONS)[0]) | {"version": version}
        changed = json.dumps(header).encode() + b"\n"
        assert "line 1" in refusal(changed + b"".join(lines(OBSERVATIONS)[1:]))
    assert "is not a pulse-sim-observations header" in refusal(b'{"format":"x"}\n')
    assert refusal(b"") == "observations.jsonl: empty"


def test_a_journal_of_another_run_is_refused() -> None:
    header = json.loads(lines(JOURNAL)[0]) | {"seed": 8}
    foreign = json.dumps(header).encode() + b"\n" + b"".join(lines(JOURNAL)[1:])
    assert refusal(journal=foreign) == "journal.jsonl line 1: its header is not the one of observations.jsonl"


def test_a_record_in_the_wrong_file_is_refused() -> None:
    content = lines(OBSERVATIONS)
    moved = b"".join(content[:2] + content[3:])
    journal = lines(JOURNAL)
    assert "is in the wrong file" in refusal(moved, b"".join([journal[0], content[2], *journal[1:]]))


@pytest.mark.parametrize("start", ["yesterday", "2026-02-09T00:00:00", "2026-02-09T00:00:00+01:00"])
def test_a_start_that_is_no_time_in_utc_is_refused(start: str) -> None:
    header = json.dumps(json.loads(lines(OBSERVATIONS)[0]) | {"start": start}).encode() + b"\n"
    assert "observations.jsonl line 1" in refusal(*(header + b"".join(lines(x)[1:]) for x in (OBSERVATIONS, JOURNAL)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"nothing\n", "Expecting value"),
        (b"[]\n", "an observation has the keys"),
        (b'{"data":{},"data":{},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "twice"),
        (b'{"data":{"a":NaN},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "NaN"),
        (b'{"data":{"a":-Infinity},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "Infinity"),
        (b'{"data":{"a":1e999},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "too large"),
        (b'{"data":{"a":"\\ud800"},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "surrogates"),
        (b'{"data":{"a":"\xff"},"kind":"a","seq":2,"source":"world","subject":"","t":0}\n', "utf-8"),
        (b'{"data":' + b"[" * 70 + b"]" * 70 + b"}\n", "nested deeper than 64"),
        (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested deeper than 64"),
        (b'{"data":"' + b"x" * (8 * 1024 * 1024) + b'"}\n', "too long"),
        (b'{"data":{},"kind":"phase","seq":2.0,"source":"world","subject":"","t":0}\n', "integers"),
        (b'{"data":{},"kind":"phase","seq":2,"source":"world","subject":"","t":-1}\n', "not negative"),
        (b'{"data":{},"kind":"phase","seq":2,"source":["world"],"subject":"","t":0}\n', "Source"),
        (b'{"data":{},"kind":"phase","seq":2,"source":"world","subject":"","t":0}\n', "lacks phase"),
        (b'{"data":{"phase":7},"kind":"phase","seq":2,"source":"world","subject":"","t":0}\n', "wrong shape"),
        (b'{"data":{},"kind":"phaze","seq":2,"source":"world","subject":"","t":0}\n', "not a kind of record"),
    ],
)
def test_a_line_that_is_no_record_is_refused_with_its_place(text: bytes, told: str) -> None:
    content = lines(OBSERVATIONS)
    message = refusal(b"".join([*content[:3], text, *content[4:]]))
    assert message.startswith("observations.jsonl line 4: ")
    assert told in message


def test_braces_inside_names_are_no_depth() -> None:
    log = LogBuilder().scrape("1m", {f'up{{i="{index}"}}': 1 for index in range(100)}).log("2m")
    assert len(log.metrics("pulse").names) == 100


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (5, {"data__status": 500}),
        (5, {"data__gone": ["was_never_there"]}),
        (5, {"data__gone": ["up"]}),
        (6, {"data__gone": ["was-never-there"]}),
        (6, {"data__status": 500}),
    ],
)
def test_differences_that_do_not_fit_together_are_refused(number: int, data: dict[str, Any]) -> None:
    kinds = {5: "metrics", 6: "resources"}
    assert json.loads(lines(OBSERVATIONS)[number - 1])["kind"] == kinds[number]
    assert refusal(edited(number, **data)).startswith(f"observations.jsonl record {number - 2}: ")


def test_a_request_that_arrived_before_the_run_is_refused() -> None:
    early = LogBuilder().add("1s", "appliance/request", "nas-1", **json.loads(lines(JOURNAL)[1])["data"])
    early.records[-1].data["duration_ns"] = SECOND + 1
    assert refusal(*early.files("1m")) == "journal.jsonl record 2: a request arrived before the run began"


def test_a_missing_file_is_a_damaged_log(tmp_path: Path) -> None:
    (tmp_path / "observations.jsonl").write_bytes(OBSERVATIONS)
    with pytest.raises(LogDamaged, match=r"journal\.jsonl: No such file"):
        RunLog.load(tmp_path)
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(LogDamaged, match=r"journal\.jsonl: Is a directory"):
        RunLog.load(tmp_path)


EVERY_CHECK: list[dict[str, Any]] = [
    {"check": "poll_errors", "connection": "nas-1", "error_type": "auth", "at_most": 0},
    {"check": "source_status", "connection": "nas-1", "is": "online", "by": "5m"},
    {"check": "recovers", "connection": "nas-1", "within": "1m", "after": "3m"},
    {"check": "staleness_below", "connection": "nas-1", "at_most": "5m"},
    {"check": "request_rate", "appliance": "nas-1", "at_most_per_minute": 1},
    {"check": "never_crashes"},
    {"check": "no_secret_leaks"},
    {"check": "faults_took_effect"},
    {"check": "no_leaks"},
    {"check": "isolation", "undisturbed": ["nas-1"]},
    {"check": "abort_criteria", "criteria": ["crash", "corruption", "interference", "failure_rate", "auth_errors"]},
]


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans(), st.integers(1, 3))
def test_changed_bytes_are_refused_or_read_and_judged_and_nothing_else(
    stream: random.Random, in_journal: bool, changes: int
) -> None:
    files = [bytearray(OBSERVATIONS), bytearray(JOURNAL)]
    content = files[in_journal]
    for _ in range(changes):
        place = stream.randrange(len(content))
        change = stream.choice(("flip", "digit", "cut", "grow"))
        if change == "cut":
            del content[place : place + stream.randrange(1, 9)]
        elif change == "grow":
            content[place:place] = stream.choice((b"0", b"{", b'"', b"\n", b"null", b"-", b"1e400", b"[]"))
        else:
            content[place] = stream.choice(b"0123456789") if change == "digit" else stream.randrange(256)
    try:
        log = RunLog.parse(bytes(files[0]), bytes(files[1]))
    except LogDamaged:
        return
    assert "".join(open_metrics(log)).endswith("# EOF\n")
    assert log.faults() is not None
    for result in judge_run(log, EVERY_CHECK):
        assert result.outcome in Outcome


SNAPSHOTS = st.lists(
    st.none() | st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3).map(float), max_size=5), max_size=12
)


@given(SNAPSHOTS)
def test_differences_of_metrics_come_back_as_the_snapshots(snapshots: list[dict[str, float] | None]) -> None:
    builder = LogBuilder()
    for index, snapshot in enumerate(snapshots):
        if snapshot is None:
            builder.missed(index, "metrics", status=503)
        else:
            builder.scrape(index, snapshot)
    log = builder.log(1000)
    assert [scrape.ok for scrape in log.scrapes("pulse")] == [snapshot is not None for snapshot in snapshots]
    for name in "abcde":
        expected = [(index, shown[name]) for index, shown in enumerate(snapshots) if shown and name in shown]
        assert [(sample.time_ns, sample.value) for sample in log.series("pulse", name)] == expected


@given(SNAPSHOTS)
def test_differences_of_resources_come_back_as_the_snapshots(snapshots: list[dict[str, float] | None]) -> None:
    builder = LogBuilder()
    for index, snapshot in enumerate(snapshots):
        if snapshot is None:
            builder.missed(index, "resources")
        else:
            builder.resources(index, {name: {"status": str(value)} for name, value in snapshot.items()})
    expected = [
        {f"id-{name}": str(value) for name, value in snapshot.items()} for snapshot in snapshots if snapshot is not None
    ]
    samples = builder.log(1000).resources("pulse")
    assert [{key: shown["status"] for key, shown in sample.by_id.items()} for sample in samples] == expected


def test_series_are_selected_by_some_of_their_labels_and_summed() -> None:
    timeout, auth = poll_errors("timeout"), poll_errors("auth")
    log = LogBuilder().scrape("1m", {timeout: 1}).scrape("2m", {timeout: 1, auth: 2}).scrape("3m", {}).log("4m")
    name = "pulse_monitor_poll_errors_total"
    one, two = log.of(Source.SAMPLER, "metrics")[:2]
    assert log.series("pulse", name, instance="nas-1") == [
        Sample(MINUTE, 1.0, one.seq),
        Sample(2 * MINUTE, 3.0, two.seq),
    ]
    assert log.series("pulse", name, error_type="auth") == [Sample(2 * MINUTE, 2.0, two.seq)]
    assert log.series("pulse", name, error_type="api") == []
    assert log.series("other", name) == []


def test_labels_are_unescaped_and_a_text_that_is_no_series_is_absent() -> None:
    odd = 'up{path="C:\\\\n \\"q\\" \\n",z="}{,="}'
    log = LogBuilder().scrape("1m", {odd: 1, "no series!": 1, "also{no": 1, 'nor{a="b"': 1}).log("2m")
    assert [sample.value for sample in log.series("pulse", "up", path='C:\\n "q" \n', z="}{,=")] == [1.0]
    assert list(log.metrics("pulse").names) == [odd]


def test_connections_follow_what_operators_did() -> None:
    log = LogBuilder().action("1m", "remove_connection", id="nas-1").action("2m", "add_connection", id="nas-1")
    log.action("3m", "disable_connection", id="nas-1").action("4m", "enable_connection", id="nas-1")
    log.action("5m", "add_connection", id="nas-2", appliance="box", poll_interval_ns=5 * SECOND)
    log.action("6m", "update_connection", id="nas-2", poll_interval_ns=7 * SECOND, appliance=None)
    log.action("6m", "update_connection", id="nas-1", appliance="moved", poll_interval_ns=None)
    log.action("7m", "add_connection", 409, id="nas-3", appliance="box").action(
        "7m", "add_connection", None, id="nas-4"
    )
    log.action("7m", "remove_connection", id="nas-9").action("7m", "restart_system")
    found = log.log("8m").connections
    assert found.keys() == {"nas-1", "nas-2"}
    spans = [(span.from_ns // MINUTE, span.to_ns and span.to_ns // MINUTE) for span in found["nas-1"].configured]
    assert spans == [(0, 1), (2, 3), (4, None)]
    assert [found["nas-1"].is_configured_at(time * MINUTE) for time in (0, 1, 2, 3, 4)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert (found["nas-1"].appliance, found["nas-1"].poll_interval_ns) == ("moved", 60 * SECOND)
    assert (found["nas-2"].appliance, found["nas-2"].poll_interval_ns) == ("box", 7 * SECOND)


def test_sampling_intervals_are_those_the_world_told() -> None:
    assert LogBuilder().log("1m").metrics_interval_ns == 60 * SECOND
    assert LogBuilder().log("1m").resources_interval_ns == 5 * MINUTE
    assert LogBuilder(metrics_every_ns=0).log("1m").metrics_interval_ns == 60 * SECOND
    log = LogBuilder(metrics_every_ns=5 * SECOND, resources_every_ns=7 * SECOND).log("1m")
    assert (log.metrics_interval_ns, log.resources_interval_ns) == (5 * SECOND, 7 * SECOND)


def test_a_system_is_up_from_each_start_to_the_next_stop() -> None:
    log = LogBuilder().add("1m", "sut/stopped", "pulse").add("2m", "sut/started", "pulse")
    log.add("3m", "sut/started", "pulse")
    spans = log.log("4m").up("pulse")
    assert [(span.from_ns // MINUTE, span.to_ns and span.to_ns // MINUTE) for span in spans] == [
        (0, 1),
        (2, 3),
        (3, None),
    ]


def test_a_fault_is_paired_with_its_next_heal() -> None:
    log = LogBuilder().fault("1m", "2m").fault("3m", "4m").fault("5m", "6m", fault="f2", heal=False).log("7m")
    heals = [record.seq for record in log.of(Source.FAULT, "heal")]
    assert [(fault.id, fault.from_ns // MINUTE, fault.healed_seq) for fault in log.faults()] == [
        ("f1", 1, heals[0]),
        ("f1", 3, heals[1]),
        ("f2", 5, None),
    ]
