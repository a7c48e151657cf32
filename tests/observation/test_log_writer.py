"""The writer of the observation log."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.observation import Header, LogDamaged, LogWriter, Record, RunLog, Source
from pulse_sim.observation.strict_json import MAX_LINE_BYTES

HEADER = Header("auth-revoked", 7, "2026-02-09T00:00:00Z", "simulated", "reference", "fifo")
PHASE = {"phase": "steady"}
REQUEST = {"method": "GET", "path": "/", "status": 200, "duration_ns": 5, "ended": "complete", "faults": []}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with LogWriter(tmp_path, HEADER) as writer:
        writer.write(0, Source.WORLD, "phase", "run", PHASE)
        writer.write(9, Source.APPLIANCE, "request", "nas-1", REQUEST)
        writer.write(9, Source.WORLD, "phase", "run", {"phase": "settle"})
        writer.close(10, requests_per_connection={"nas-1": 1})
    log = RunLog.load(tmp_path)
    assert log.header == HEADER
    assert [(record.seq, record.time_ns, record.kind) for record in log.records] == [
        (0, 0, "phase"),
        (1, 9, "request"),
        (2, 9, "phase"),
        (3, 10, "end"),
    ]
    assert log.records[-1].data == {
        "reason": "completed",
        "records": 4,
        "requests": 1,
        "requests_per_connection": {"nas-1": 1},
    }
    assert [request.arrival_ns for request in log.requests("nas-1")] == [4]
    assert (log.end_ns, log.end_reason) == (10, "completed")


def test_requests_and_nothing_else_are_in_the_journal(tmp_path: Path) -> None:
    with LogWriter(tmp_path, HEADER) as writer:
        writer.write(0, Source.WORLD, "phase", "run", PHASE)
        writer.write(9, Source.APPLIANCE, "request", "nas-1", REQUEST)
        writer.close(10)
    journal = (tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert [Record.decode(line).kind for line in journal[1:]] == ["request"]
    assert journal[0] == (tmp_path / "observations.jsonl").read_bytes().splitlines(keepends=True)[0] == HEADER.encode()


def test_the_hook_sees_every_record_and_its_line_in_order(tmp_path: Path) -> None:
    seen: list[tuple[Record, bytes]] = []
    with LogWriter(tmp_path, HEADER, on_record=lambda record, line: seen.append((record, line))) as writer:
        written = writer.write(0, Source.WORLD, "phase", "run", PHASE)
        writer.write(1, Source.APPLIANCE, "request", "nas-1", {**REQUEST, "duration_ns": 0})
        writer.close(2)
    assert [record.seq for record, _ in seen] == [0, 1, 2]
    assert seen[0] == (written, written.encode())


@pytest.mark.parametrize(
    ("time_ns", "kind", "data"),
    [
        (4, "phase", PHASE),
        (2**63, "phase", PHASE),
        (6, "fase", PHASE),
        (6, "phase", {}),
        (6, "phase", {"phase": "panic"}),
        (6, "phase", {**PHASE, "more": float("nan")}),
        (6, "phase", {**PHASE, "more": "x" * MAX_LINE_BYTES}),
    ],
)
def test_what_the_reader_would_refuse_is_not_written(
    tmp_path: Path, time_ns: int, kind: str, data: dict[str, Any]
) -> None:
    with LogWriter(tmp_path, HEADER) as writer:
        writer.write(5, Source.WORLD, "phase", "run", PHASE)
        with pytest.raises(ValueError, match=r"."):
            writer.write(time_ns, Source.WORLD, kind, "run", data)
        with pytest.raises(TypeError):
            writer.write(6, Source.WORLD, "phase", "run", {**PHASE, "more": object()})
        writer.close(6)
        with pytest.raises(ValueError, match="closed"):
            writer.write(7, Source.WORLD, "phase", "run", PHASE)
    assert len(RunLog.load(tmp_path).records) == 2


def test_a_log_that_was_not_closed_is_refused(tmp_path: Path) -> None:
    with LogWriter(tmp_path, HEADER) as writer:
        writer.write(5, Source.WORLD, "phase", "run", PHASE)
    with pytest.raises(LogDamaged, match="no world/end"):
        RunLog.load(tmp_path)


def test_a_log_is_never_written_over_another(tmp_path: Path) -> None:
    LogWriter(tmp_path, HEADER).close(0)
    before = (tmp_path / "observations.jsonl").read_bytes()
    with pytest.raises(FileExistsError):
        LogWriter(tmp_path, HEADER)
    assert (tmp_path / "observations.jsonl").read_bytes() == before


def test_writing_takes_no_memory_that_grows_with_the_log(tmp_path: Path) -> None:
    with LogWriter(tmp_path, HEADER) as writer:
        tracemalloc.start()
        try:
            for time_ns in range(100):
                writer.write(time_ns, Source.WORLD, "phase", "run", PHASE)
            early, _ = tracemalloc.get_traced_memory()
            for time_ns in range(100, 5000):
                writer.write(time_ns, Source.WORLD, "phase", "run", PHASE)
            late, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        writer.close(5000)
    assert late - early < 4096
