"""The metrics of a log as OpenMetrics text."""

from collections.abc import Iterator
from itertools import pairwise

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pulse_sim.observation.open_metrics import open_metrics
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import START_UNIX, LogBuilder, every

HISTOGRAM = {
    'd_seconds_bucket{i="a",le="+Inf"}': 3,
    'd_seconds_bucket{i="a",le="10.0"}': 2,
    'd_seconds_bucket{i="a",le="5.0"}': 1,
    'd_seconds_sum{i="a"}': 31.5,
    'd_seconds_count{i="a"}': 3,
}


def text(builder: LogBuilder, end: str = "1h") -> str:
    return "".join(open_metrics(builder.log(end)))


def samples(document: str, series: str) -> Iterator[tuple[str, float]]:
    for line in document.splitlines():
        if line.startswith(f"{series} "):
            value, stamp = line.removeprefix(f"{series} ").split(" ")
            yield value, float(stamp) - START_UNIX


def test_families_have_the_types_their_names_tell() -> None:
    log = LogBuilder().scrape("17s", {"jobs_total": 1, "up": 1, **HISTOGRAM, "lone_sum": 2.5})
    assert text(log) == (
        "# TYPE d_seconds histogram\n"
        f'd_seconds_bucket{{i="a",le="5.0"}} 1 {START_UNIX + 17}\n'
        f'd_seconds_bucket{{i="a",le="10.0"}} 2 {START_UNIX + 17}\n'
        f'd_seconds_bucket{{i="a",le="+Inf"}} 3 {START_UNIX + 17}\n'
        f'd_seconds_count{{i="a"}} 3 {START_UNIX + 17}\n'
        f'd_seconds_sum{{i="a"}} 31.5 {START_UNIX + 17}\n'
        "# TYPE jobs counter\n"
        f"jobs_total 1 {START_UNIX + 17}\n"
        "# TYPE lone_sum gauge\n"
        f"lone_sum 2.5 {START_UNIX + 17}\n"
        "# TYPE up gauge\n"
        f"up 1 {START_UNIX + 17}\n"
        "# EOF\n"
    )


def test_a_parser_of_openmetrics_reads_it() -> None:
    log = LogBuilder().scrape("17s", {"jobs_total": 1, "jobs_created": 9, 'up{a="x\\"y\\\\z\\n"}': "NaN", **HISTOGRAM})
    parsed = text_string_to_metric_families(text(log))  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parsed}
    assert {name: family.type for name, family in families.items()} == {
        "d_seconds": "histogram",
        "jobs": "counter",
        "up": "gauge",
    }
    assert families["up"].samples[0].labels == {"a": 'x"y\\z\n'}


def test_no_series_at_all_is_still_a_document() -> None:
    assert text(LogBuilder()) == "# EOF\n"


def test_a_value_is_written_when_it_changes_and_never_more_than_four_minutes_apart() -> None:
    log = LogBuilder()
    for time in every(MINUTE, 17 * SECOND, 30 * MINUTE):
        log.scrape(time, {"up": 1 if time < 10 * MINUTE else 2, "clock": time})
        log.scrape(time + 5 * SECOND, {"up": 1 if time < 10 * MINUTE else 2, "clock": time + 1})
    document = text(log)
    written = list(samples(document, "up"))
    assert (written[0], written[-1]) == (("1", 17.0), ("2", 29 * 60 + 22.0))
    assert ("2", 10 * 60 + 17.0) in written
    gaps = [after - before for (_, before), (_, after) in pairwise(written)]
    assert max(gaps) <= 240
    assert len(written) < 12
    assert len(list(samples(document, "clock"))) == 60


def test_four_minutes_without_a_sample_are_allowed_and_no_more() -> None:
    log = LogBuilder()
    for minute in (0, 2, 4, 6, 7, 11):
        log.scrape(minute * MINUTE, {"up": 1})
    assert [at for _, at in samples(text(log), "up")] == [0.0, 240.0, 420.0, 660.0]


def test_scrapes_further_apart_are_all_written() -> None:
    log = LogBuilder()
    for minute in (0, 5, 10):
        log.scrape(minute * MINUTE, {"up": 1})
    assert [at for _, at in samples(text(log), "up")] == [0.0, 300.0, 600.0]


def test_a_histogram_is_written_whole_when_any_part_of_it_changed() -> None:
    log = LogBuilder().scrape("1m", HISTOGRAM)
    log.scrape("2m", {**HISTOGRAM, 'd_seconds_sum{i="a"}': 32.5}).scrape(
        "3m", {**HISTOGRAM, 'd_seconds_sum{i="a"}': 32.5}
    )
    log.scrape("4m", {})
    document = text(log)
    for series in HISTOGRAM:
        assert [at for _, at in samples(document, series)] == [60.0, 120.0]


def test_a_series_is_written_only_while_it_is_present() -> None:
    log = LogBuilder()
    for minute in range(30):
        log.scrape(minute * MINUTE, {"up": 1} if not 3 <= minute < 20 else {})
    times = [at for _, at in samples(text(log), "up")]
    assert times[0] == 0.0
    assert not [at for at in times if 180 <= at < 1200]
    assert 1200.0 in times


def test_several_systems_are_told_apart_by_a_label() -> None:
    log = LogBuilder(systems=("a", "b")).scrape("1m", {"up": 1, 'q{z="1"}': 5}, "a").scrape("1m", {"up": 2}, "b")
    stamp = START_UNIX + 60
    assert text(log) == (
        f'# TYPE q gauge\nq{{system="a",z="1"}} 5 {stamp}\n'
        f'# TYPE up gauge\nup{{system="a"}} 1 {stamp}\nup{{system="b"}} 2 {stamp}\n# EOF\n'
    )


def test_a_family_whose_name_is_taken_stands_alone() -> None:
    document = text(LogBuilder().scrape("1m", {"jobs": 1, "jobs_total": 2}))
    assert "# TYPE jobs gauge\n" in document
    assert "# TYPE jobs_total unknown\n" in document


def test_values_that_are_no_numbers_are_left_out() -> None:
    assert list(samples(text(LogBuilder().scrape("1m", {"up": "1\n# EOF"})), "up")) == []
    assert list(samples(text(LogBuilder().scrape("1m", {"up": "1_000"})), "up")) == []


def test_time_below_a_second_is_kept() -> None:
    assert f"up 1 {START_UNIX + 1}.000000001\n" in text(LogBuilder().scrape(SECOND + 1, {"up": 1}))
