"""What was on record around the first evidence, on lines no name can break out of."""

from pathlib import Path

from pulse_sim.observation import RunLog, Source
from pulse_sim.report.explanation import chain_lines, scene_data, scene_lines, scene_of
from pulse_sim.units import MINUTE
from pulse_sim.verdict.explanation import Chain, Step
from tests.evidence.recording import header, record
from tests.report.hostile import HOSTILE_POOL


def log_of(directory: Path, connection: str = "nas-1") -> RunLog:
    directory.mkdir(exist_ok=True)
    record(directory, header(), connection=connection)
    return RunLog.load(directory)


def scrape_after(log: RunLog, time_ns: int) -> int:
    return next(one.seq for one in log.of(Source.SAMPLER, "metrics") if one.time_ns >= time_ns)


def test_records_around_the_first_evidence_are_shown_with_the_faults_active_then(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    seq = scrape_after(log, 7 * MINUTE)
    scene = scene_of(log, [seq, seq + 9], {"connection": "nas-1"})
    assert [one.seq for one in scene.records] == list(range(seq - 4, seq + 4))
    assert [one.seq for one in scene.records if one.is_evidence] == [seq]
    assert scene.at_ns == next(one.time_ns for one in scene.records if one.is_evidence)
    assert [(one.kind, one.on, one.from_ns, one.to_ns) for one in scene.faults] == [
        ("auth.revoke_key", "nas-1", 5 * MINUTE, 10 * MINUTE)
    ]
    lines = list(scene_lines(scene))
    assert lines[0] == "first evidence at 7m17s"
    assert lines[1] == "active then: auth.revoke_key on nas-1, 5m to 10m"
    assert [line[0] for line in lines[2:]] == [">" if one.is_evidence else " " for one in scene.records]
    assert scene_data(scene)["records"][4]["evidence"] is True


def test_outside_its_window_a_fault_is_not_active(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    for moment in (3, 10):
        scene = scene_of(log, [scrape_after(log, moment * MINUTE)], {})
        assert list(scene_lines(scene))[1] == "active then: no fault"


def test_of_a_scrape_the_series_the_check_asks_for_are_shown(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    asked = {"connection": "nas-1", "error_type": "auth", "between": ["5m", "10m"], "at_least": 1}
    scene = scene_of(log, [scrape_after(log, 0)], asked)
    (shown,) = [one.data for one in scene.records if one.is_evidence]
    assert 'pulse_monitor_poll_errors_total{instance_type="truenas",instance="nas-1",error_type="auth"} 0.0' in shown
    assert "5 in all" in shown


def test_a_check_that_names_no_record_is_told_with_all_faults_of_the_run(tmp_path: Path) -> None:
    scene = scene_of(log_of(tmp_path), [], {})
    assert (scene.at_ns, scene.records) == (None, ())
    assert list(scene_lines(scene)) == [
        "the check names no record of the log",
        "faults of the run: auth.revoke_key on nas-1, 5m to 10m",
    ]


def test_hostile_names_stay_printable_and_on_their_lines(tmp_path: Path) -> None:
    log = log_of(tmp_path / "run", HOSTILE_POOL)
    scene = scene_of(log, [scrape_after(log, 7 * MINUTE)], {"connection": HOSTILE_POOL})
    chain = Chain((Step("run", *[HOSTILE_POOL] * 4), Step("check", *[HOSTILE_POOL] * 4)))
    lines = [*chain_lines(chain), *scene_lines(scene)]
    assert len(lines) == 2 + 2 + len(scene.records)
    assert [line for line in lines if not line.isprintable()] == []
    assert all(one["data"].isprintable() for one in scene_data(scene)["records"])


def test_a_chain_reads_as_sentences_each_because_of_the_next() -> None:
    steps = (
        Step("verdict", "trr", "NO_GO", "A plan", "a gate is open"),
        Step("packet", "TRR-05", "BLOCKED"),
        Step("packet", "TRR-04", "CHANGES_REQUESTED", "Failures", "a gate is open"),
    )
    assert list(chain_lines(Chain(steps, beside=1))) == [
        "verdict trr is NO_GO: A plan",
        "because packet TRR-05 BLOCKED",
        "and packet TRR-04 CHANGES_REQUESTED: Failures: a gate is open",
        "(and 1 more reason)",
    ]
