"""never_crashes and no_secret_leaks on handwritten logs."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.observation.secrecy import find_secret_forms
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, every, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


def alive(systems: tuple[str, ...] = ("pulse",), until: int = 10 * MINUTE) -> LogBuilder:
    log = LogBuilder(systems=systems)
    for system in systems:
        for time in every(MINUTE, 17 * SECOND, until):
            log.scrape(time, {"up": 1}, system)
        for time in every(5 * MINUTE, 5 * MINUTE, until):
            log.health(time, system=system)
    return log


def life(builder: LogBuilder, end: str = "10m", **parameters: object) -> tuple[Outcome, str]:
    result = judge(builder.log(end), "never_crashes", **parameters)
    return result.outcome, result.observed


def test_a_system_that_always_answered_never_crashed() -> None:
    assert life(alive()) == (PASSED, "no crash, 12 probes answered")


@pytest.mark.parametrize(
    ("builder", "observed"),
    [
        (
            alive().add("3m", "sut/crash", "pulse", kind="task", exception="KeyError", template="t"),
            "pulse crashed at 3m: KeyError",
        ),
        (alive().missed("3m30s", "metrics"), "scrape of pulse unanswered at 3m30s, 1 in all"),
        (alive().missed("3m30s", "metrics", status=500), "scrape of pulse answered 500 at 3m30s, 1 in all"),
        (alive().health("7m", 503), "health probe of pulse answered 503 at 7m, 1 in all"),
    ],
)
def test_a_crash_a_failed_scrape_and_bad_health_are_failures(builder: LogBuilder, observed: str) -> None:
    assert life(builder) == (FAILED, observed)


def test_probes_while_the_system_was_stopped_may_fail() -> None:
    log = alive().add("3m30s", "sut/stopped", "pulse").missed("3m40s", "metrics").missed("3m40s", "health")
    assert life(log.add("3m50s", "sut/started", "pulse"))[0] is PASSED


def test_what_happened_at_one_instant_is_told_apart_by_the_sequence() -> None:
    stopped_first = alive().add("3m30s", "sut/stopped", "pulse").missed("3m30s", "metrics")
    scraped_first = alive().missed("3m30s", "metrics").add("3m30s", "sut/stopped", "pulse")
    assert life(stopped_first.add("4m", "sut/started", "pulse"))[0] is PASSED
    assert life(scraped_first.add("4m", "sut/started", "pulse"))[0] is FAILED


def test_a_crash_counts_even_when_the_system_never_started() -> None:
    log = LogBuilder(started=False).add("0s", "sut/crash", "pulse", kind="start", exception="OSError", template="t")
    assert life(log)[0] is FAILED


def test_one_system_may_be_asked_about_alone() -> None:
    log = alive(("a", "b")).add("3m", "sut/crash", "b", kind="task", exception="KeyError", template="t")
    assert life(log, system="a")[0] is PASSED
    assert life(log, system="b")[0] is FAILED
    assert life(log)[0] is FAILED


def test_too_few_looks_are_inconclusive() -> None:
    assert life(LogBuilder(systems=(), connections={}))[0] is INCONCLUSIVE
    assert life(LogBuilder())[0] is INCONCLUSIVE
    assert life(LogBuilder(started=False))[0] is INCONCLUSIVE
    assert life(alive(), system="other")[0] is INCONCLUSIVE
    assert life(alive(until=6 * MINUTE))[0] is INCONCLUSIVE
    scrapes_only = LogBuilder()
    for time in every(MINUTE, 17 * SECOND, 10 * MINUTE):
        scrapes_only.scrape(time, {"up": 1})
    assert life(scrapes_only) == (INCONCLUSIVE, "no health probe of pulse between 0s and 10m")


SECRET = "1-PSIMSECRETabcdefghij0123456789"


def leak(builder: LogBuilder, disk: bool = True) -> tuple[Outcome, str]:
    if disk:
        builder.add("9m", "world/disk", "pulse", files={}, leaks=[])
    result = judge(builder.log("10m"), "no_secret_leaks")
    assert "PSIMSECRET" not in result.observed
    return result.outcome, result.observed


def logged(text: str) -> LogBuilder:
    return LogBuilder().add("1m", "sut/log", "pulse", level="INFO", logger="p", template="t", fields={"a": text})


def test_a_quiet_log_leaks_nothing() -> None:
    assert leak(logged("nothing")) == (PASSED, "none readable")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (SECRET, "plain"),
        (SECRET.encode().hex(), "hex"),
        (SECRET.encode().hex().upper(), "hex"),
        ("".join(f"%{byte:02x}" for byte in SECRET.encode()), "url"),
        ("".join(f"%{byte:02X}" for byte in SECRET.encode()), "url"),
        ("".join(f"\\u{ord(char):04x}" for char in SECRET), "json"),
        (b64encode(f"root:{SECRET}".encode()).decode(), "base64"),
        (b64encode(f"admin:{SECRET}".encode()).decode(), "base64"),
        (b64encode(f"ro:{SECRET}".encode()).decode(), "base64"),
    ],
)
def test_a_secret_in_any_form_in_the_log_is_a_leak(text: str, form: str) -> None:
    outcome, observed = leak(logged(text))
    assert (outcome, observed) == (FAILED, f"readable in observations.jsonl line 4 as {form}")


def test_the_journal_is_searched_too() -> None:
    log = LogBuilder().request("1m", path=f"/api/v2.0/pool?api_key={quote(SECRET)}")
    assert leak(log) == (FAILED, "readable in journal.jsonl line 2 as plain")


def test_a_leak_is_evidenced_by_its_record_and_no_other() -> None:
    log = logged("nothing").add("2m", "sut/log", "pulse", level="INFO", logger=SECRET, template="t", fields={})
    read = log.add("9m", "world/disk", "pulse", files={}, leaks=[]).log("10m")
    assert judge(read, "no_secret_leaks").evidence == tuple(
        one.seq for one in read.records if one.time_ns == 2 * MINUTE
    )


def test_further_leaks_are_counted() -> None:
    log = LogBuilder().request("1m", path=SECRET).request("2m", path=SECRET).request("3m", path=SECRET)
    assert leak(log) == (FAILED, "readable in journal.jsonl line 2 as plain and 2 more")


def test_a_leak_on_disk_is_a_leak() -> None:
    log = LogBuilder().add("1m", "world/disk", "pulse", files={}, leaks=["connections.bak"])
    assert leak(log, disk=False) == (FAILED, "readable on the disk of pulse")


def test_without_a_look_at_every_disk_nothing_is_known() -> None:
    assert leak(LogBuilder(), disk=False)[0] is INCONCLUSIVE
    assert leak(LogBuilder(systems=("pulse", "other"))) == (INCONCLUSIVE, "no look at the disk of other")
    assert leak(logged(SECRET), disk=False)[0] is FAILED


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([b64encode, urlsafe_b64encode]))
def test_a_secret_is_found_in_base64_whatever_surrounds_it(before: bytes, after: bytes, encode: object) -> None:
    assert callable(encode)
    assert "base64" in [found.form for found in find_secret_forms(encode(before + b"PSIMSECRET" + after))]


@given(st.binary(max_size=200).filter(lambda data: b"PSIM" not in data))
def test_bytes_without_the_marker_have_no_forms(data: bytes) -> None:
    assert find_secret_forms(b64encode(data)) == []
