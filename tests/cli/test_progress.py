"""What is told while runs are under way: bars for people at a terminal, lines for a log, nothing beside ``--json``."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.cli.progress import told_progress

ROW = {"scenario": "small", "seed": 7, "outcome": "passed", "virtual_seconds": 120, "wall_seconds": 0.25}
LOST = {"scenario": "a\x1b[2Jb", "seed": 1, "outcome": "errored", "virtual_seconds": None, "wall_seconds": None}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *rows: Mapping[str, Any], quiet: bool = False) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with told_progress(12, quiet=quiet) as tell:
        for row in rows:
            tell(row)
    return stream.getvalue()


def test_in_a_log_every_finished_run_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, io.StringIO(), ROW, LOST).splitlines() == [
        "[ 1/12] passed       small seed 7  120 virtual s in 0.2 s",
        "[ 2/12] errored      a␛[2Jb seed 1",
    ]


def test_in_a_terminal_a_bar_tells_how_many_are_done_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = told(monkeypatch, Terminal(), ROW, LOST)
    assert "2/12" in shown
    assert "left" in shown
    assert "\x1b[2Jb" not in shown


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["log", "terminal"])
def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    assert told(monkeypatch, stream, ROW, quiet=True) == ""
