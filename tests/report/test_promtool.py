"""Prometheus's own tool takes the metrics of a recorded run, and finds in them what the log says."""

import math
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from pulse_sim.observation import RunLog
from pulse_sim.observation.open_metrics import AT_LEAST_EVERY_NS, open_metrics
from tests.checks.log_builder import START_UNIX, LogBuilder
from tests.deploy.promtool import promtool
from tests.report.hostile import HOSTILE_POOL
from tests.report.stories import read_log

pytestmark = pytest.mark.system
LIMIT_S = 120


def blocks(text: bytes, place: Path) -> tuple[int, str]:
    """What the tool says to the document; its blocks lie in ``place / "data"``."""
    document = place / "metrics.om"
    document.write_bytes(text)
    command = [str(promtool()), "tsdb", "create-blocks-from", "openmetrics", str(document), str(place / "data")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=LIMIT_S)
    return done.returncode, (done.stdout + done.stderr).decode()


def dumped(place: Path) -> list[str]:
    """Every sample in the blocks, one a line: ``{labels} value milliseconds``."""
    (place / "data" / "wal").mkdir(exist_ok=True)
    done = subprocess.run(
        [promtool(), "tsdb", "dump", place / "data"], capture_output=True, check=True, timeout=LIMIT_S
    )
    return done.stdout.decode().split("\n")


def values(lines: Iterable[str], name: str, labels: Mapping[str, str]) -> dict[int, float]:
    """Of one series the values by milliseconds."""
    found = {}
    for line in lines:
        shown, _, rest = line.rpartition("} ")
        if f'__name__="{name}"' in shown and all(f'{key}="{value}"' in shown for key, value in labels.items()):
            value, at = rest.split(" ")
            found[int(at)] = float(value)
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunLog]:
    """The log of a run of six hours whose connection bears the hostile name, and its blocks."""
    place = tmp_path_factory.mktemp("recorded")
    log = read_log(place, HOSTILE_POOL, minutes=360)
    status, said = blocks("".join(open_metrics(log)).encode(), place)
    assert status == 0, said
    return place, log


def test_it_takes_the_metrics_of_a_recorded_run_with_a_hostile_name(recorded: tuple[Path, RunLog]) -> None:
    place, _ = recorded
    assert [path for path in (place / "data").iterdir() if (path / "meta.json").is_file()]


def test_it_finds_the_values_of_the_log_at_the_times_of_the_log(recorded: tuple[Path, RunLog]) -> None:
    place, log = recorded
    lines = dumped(place)
    for name, labels in (
        ("pulse_monitor_poll_staleness_seconds", {}),
        ("pulse_monitor_poll_total", {"result": "error"}),
        ("pulse_scheduler_breaker_state", {}),
    ):
        told = {
            log.start_unix_ns // 10**6 + sample.time_ns // 10**6: sample.value
            for sample in log.series("pulse", name, **labels)
        }
        found = values(lines, name, labels)
        assert found and found.items() <= told.items()
        gaps = [after - before for before, after in zip(sorted(found), sorted(found)[1:], strict=False)]
        assert max(gaps) * 10**6 <= AT_LEAST_EVERY_NS
        changes = {at for at in told if at - 60_000 in told and told[at] != told[at - 60_000]}
        assert changes <= found.keys()


def test_a_hostile_label_comes_back_as_it_was(recorded: tuple[Path, RunLog]) -> None:
    place, _ = recorded
    text = "\n".join(dumped(place))
    assert "]]>" in text and "{{ 7*7 }}" in text and "rm -rf /" in text


def test_it_takes_histograms_counters_gaps_restarts_and_several_systems(tmp_path: Path) -> None:
    log = LogBuilder(systems=("a", "b"))
    for minute in range(30):
        if 10 <= minute < 14:
            continue
        count = minute if minute < 20 else minute - 20
        shown = {
            'd_seconds_bucket{le="1.0"}': count,
            'd_seconds_bucket{le="+Inf"}': 2 * count,
            "d_seconds_count": 2 * count,
            "d_seconds_sum": 1.5 * count,
            "jobs_total": count,
            "jobs_created": 1.0,
            "temperature": "NaN" if minute == 5 else -40.5,
            "most": "+Inf",
            "requests": 1,
            "requests_total": 2,
        }
        for system in ("a", "b"):
            log.scrape(f"{minute}m17s", shown, system)
    status, said = blocks("".join(open_metrics(log.log("1h"))).encode(), tmp_path)
    assert status == 0, said
    lines = dumped(tmp_path)
    jobs = values(lines, "jobs_total", {"system": "a"})
    assert jobs[(START_UNIX + 19 * 60 + 17) * 1000] == 19 and jobs[(START_UNIX + 20 * 60 + 17) * 1000] == 0
    assert math.isnan(values(lines, "temperature", {"system": "b"})[(START_UNIX + 5 * 60 + 17) * 1000])
    assert values(lines, "d_seconds_bucket", {"le": "+Inf", "system": "b"})


def test_it_takes_a_run_without_any_sample_that_is_a_number(tmp_path: Path) -> None:
    status, said = blocks("".join(open_metrics(LogBuilder().scrape("1m", {"up": "none"}).log("1h"))).encode(), tmp_path)
    assert status == 0 or "no samples" in said.lower() or "empty" in said.lower(), said


def test_it_refuses_a_document_that_was_cut(tmp_path: Path) -> None:
    whole = "".join(open_metrics(LogBuilder().scrape("1m", {"up": 1}).log("1h"))).encode()
    assert blocks(whole, tmp_path)[0] == 0
    assert blocks(whole.removesuffix(b"# EOF\n"), tmp_path)[0] != 0


@pytest.mark.parametrize(
    "shown",
    [
        {"d_seconds": 1, 'd_seconds_bucket{le="1.0"}': 1, 'd_seconds_bucket{le="+Inf"}': 1, "d_seconds_count": 1},
        {'a{x="2",y="1"}': 1, 'a{y="1",x="2"}': 2},
        {'a{__name__="b"}': 1, "up": 1},
        {"x_total": -1, "y_total": "NaN", "x_info": 2, "x": 1},
        {'d_bucket{le="bad"}': 1, "d_count": 1, 'q{quantile="0.5"}': 1, "EOF": 1, 'a:b{le="5"}': 1},
        {"most": "1e999", "least": "-1e999", "x": 1e300, "y": "1e-5", "z": ".5", "w": "5."},
    ],
)
def test_it_takes_whatever_a_system_may_call_its_series(tmp_path: Path, shown: dict[str, float]) -> None:
    log = LogBuilder().scrape("1m", shown).scrape("2m", shown).log("1h")
    status, said = blocks("".join(open_metrics(log)).encode(), tmp_path)
    assert status == 0, said
