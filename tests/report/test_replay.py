"""The line that repeats it: right for a shell, and the same from wherever it was made."""

from dataclasses import replace

import pytest

from pulse_sim.report.replay import run_line, told_file, verdict_line
from tests.report.stories import summary


@pytest.mark.parametrize(
    "path",
    [
        "scenarios/soak/a.yaml",
        "./scenarios/soak/a.yaml",
        "../scenarios/soak/a.yaml",
        "/home/me/pulse/scenarios/soak/a.yaml",
        "/scenarios/scenarios/soak/a.yaml",
    ],
)
def test_a_file_is_named_from_its_catalogue_on(path: str) -> None:
    assert told_file(path) == "scenarios/soak/a.yaml"


def test_a_file_outside_a_catalogue_is_named_alone() -> None:
    assert told_file("/home/me/mine.yaml") == "mine.yaml"


def test_what_was_not_the_default_is_written_out() -> None:
    run = replace(summary("auth"), world="live", sut="tests.broken:deaf", schedule="random")
    assert run_line(run, "scenarios/a.yaml") == (
        "pulse-sim run scenarios/a.yaml --seed 7 --world live --sut tests.broken:deaf --schedule random"
    )
    assert verdict_line("trr-04", 1, None, "tests.broken:deaf") == (
        "pulse-sim verdict trr-04.yaml --seed 1 --sut tests.broken:deaf"
    )


def test_a_file_name_cannot_add_a_command() -> None:
    assert run_line(summary("a"), "scenarios/a; rm x.yaml") == "pulse-sim run 'scenarios/a; rm x.yaml' --seed 7"
