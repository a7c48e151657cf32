"""``pulse-sim run --schedule random``: drawn from the seed, labelled wherever a run is told of, and judged alike."""

import json
from pathlib import Path

import pytest

from pulse_sim.observation import RunLog
from tests.cli.command import RESILIENCE, pulse_sim
from tests.run.rehearsal import scenario

pytestmark = pytest.mark.system

RANDOM = ("--schedule", "random")
TOO_MANY = [{"check": "request_rate", "appliance": "nas-1", "at_most_per_minute": 1}]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scenario") / "asked-too-often.yaml"
    file.write_text(scenario(id="asked-too-often", checks=TOO_MANY), "utf-8")
    return file


def test_a_seed_decides_the_order_and_fifo_is_what_runs_without_the_option(file: Path, tmp_path: Path) -> None:
    def digests(*options: str) -> list[str]:
        done = pulse_sim("run", file, "--seeds", "1..3", *options, "--json", "--out", tmp_path)
        return [row["trace_digest"] for row in done.rows]

    drawn = digests(*RANDOM)
    assert drawn == digests(*RANDOM)
    assert digests() == digests("--schedule", "fifo")
    assert len({*drawn, *digests()}) == 6


def test_log_report_and_replay_line_say_that_the_order_was_drawn(file: Path, tmp_path: Path) -> None:
    done = pulse_sim("run", file, "--seed", "5", *RANDOM, "--out", tmp_path)
    assert done.status == 1
    assert "failed       asked-too-often seed 5, random schedule" in done.out
    replay = f"pulse-sim run {file} --seed 5 --schedule random"
    assert f"replay: {replay}\n" in done.out
    (bundle,) = tmp_path.glob("asked-too-often-5-*")
    assert RunLog.load(bundle).header.schedule == "random"
    assert json.loads((bundle / "checks.json").read_bytes())["schedule"] == "random"
    markdown, html = (bundle / "report.md").read_text("utf-8"), (bundle / "report.html").read_text("utf-8")
    assert "| schedule | random |" in markdown
    assert "<span>schedule</span> random</span>" in html
    told = f"pulse-sim run {file.name} --seed 5 --schedule random"
    assert told in markdown and told in html


def test_a_fifo_run_says_so_in_its_report_and_nothing_of_it_at_the_terminal(file: Path, tmp_path: Path) -> None:
    done = pulse_sim("run", file, "--seed", "5", "--out", tmp_path)
    assert "schedule" not in done.out
    (bundle,) = tmp_path.glob("asked-too-often-5-*")
    assert "| schedule | fifo |" in (bundle / "report.md").read_text("utf-8")
    assert "<span>schedule</span> fifo</span>" in (bundle / "report.html").read_text("utf-8")


def test_a_bundle_with_a_drawn_order_is_judged_again_like_any_other(file: Path, tmp_path: Path) -> None:
    (row,) = pulse_sim("run", file, "--seed", "5", *RANDOM, "--json", "--out", tmp_path).rows
    (again,) = pulse_sim("check", row["bundle"], "--json").rows
    assert (again["outcome"], again["intact"], again["differences"]) == ("failed", True, [])


def test_a_change_of_configuration_during_a_poll_is_survived_in_twenty_drawn_orders(tmp_path: Path) -> None:
    file = RESILIENCE / "config-change-during-poll.yaml"
    done = pulse_sim("run", file, "--seeds", "1..20", *RANDOM, "--json", "--out", tmp_path)
    assert {row["seed"] for row in done.rows} == set(range(1, 21))
    assert {row["outcome"] for row in done.rows} == {"passed"}, done.out
    assert len({row["trace_digest"] for row in done.rows}) == len(done.rows)
