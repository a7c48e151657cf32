"""Faults of both tables reach their appliance, no other, and end with their half-open window to the nanosecond."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mock_truenas.faults import FAULT_KINDS, Stage
from pulse_sim.outcome import Outcome
from pulse_sim.units import MICROSECOND, MINUTE, SECOND
from pulse_sim.world.faults import WORLD_FAULT_KINDS
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.world.prober import LATENCY_NS, START_NS, prober, probes, seen

ALL_KINDS = {**FAULT_KINDS, **WORLD_FAULT_KINDS}
TWO = {name: {"release": "24.10", "fixture": "small-office"} for name in ("nas-1", "nas-2")}
BOTH = {name: {"appliance": name, "poll_interval": "60s"} for name in TWO}
BEGIN, END = 3 * MINUTE, 5 * MINUTE
GROWN = (10 * MINUTE,)
"""When datasets have filled, which is news too."""
ERRORS = "pulse_monitor_poll_errors_total"

# kind, its parameters, the one error class the poller counts meanwhile
KINDS: list[tuple[str, dict[str, Any], str | None]] = [
    ("http.delay", {"delay": "45s"}, "timeout"),
    ("http.silence", {}, "timeout"),
    ("http.status", {"status": 502}, "api"),
    ("http.truncate_body", {"keep_bytes": 20}, "api"),
    ("http.malformed_body", {}, "api"),
    ("http.reset", {"after_bytes": 0}, "connection"),
    ("http.not_found", {}, "api"),
    ("http.gzip_cut", {}, "api"),
    ("front.bad_gateway", {}, "api"),
    ("front.timeout", {}, "timeout"),
    ("front.redirect_https", {}, "api"),
    ("front.not_allowed", {}, "auth"),
    ("front.proxy", {}, "api"),
    ("rpc.silence", {"call": "pool.query"}, "timeout"),
    ("rpc.late", {"delay": "45s"}, "timeout"),
    ("rpc.error", {}, "api"),
    ("rpc.broken", {"call": "pool.query"}, "api"),
    ("rpc.no_method", {}, "api"),
    ("rpc.invalid_params", {}, "api"),
    ("auth.revoke_key", {}, "auth"),
    ("auth.delete_key", {}, "auth"),
    ("auth.expire_key", {}, "auth"),
    ("auth.role", {"allows": "system.*"}, "auth"),
    ("payload.null_field", {"call": "pool.query", "field": "scan"}, None),
    ("payload.drop_field", {"call": "pool.query", "field": "scan"}, None),
    ("payload.set_field", {"call": "disk.query", "field": "status", "value": "ONLINE"}, None),
    ("payload.rename_field", {"call": "disk.query", "field": "bus", "to": "connected.by"}, None),
    ("payload.change_type", {"call": "pool.query", "field": "fragmentation", "to": "int"}, None),
    ("payload.non_finite", {"call": "pool.query", "field": "scan.percentage"}, None),
    ("payload.shift_date", {"call": "system.info", "field": "datetime", "by": "1h"}, None),
    ("payload.duplicate_rows", {"call": "alert.list"}, None),
    ("payload.duplicate_serial", {}, None),
    ("payload.no_rows", {"call": "disk.query"}, None),
    ("payload.html_in_alert", {}, None),
    ("pool.exported", {}, None),
    ("pool.status", {}, None),
    ("pool.scrub_running", {}, None),
    ("disk.no_temperature", {}, None),
    ("disk.missing", {}, None),
    ("appliance.down", {}, "connection"),
    ("appliance.asleep", {}, "timeout"),
    ("appliance.stall", {}, "timeout"),
    ("appliance.busy_zfs", {}, "timeout"),
    ("appliance.booting", {}, None),
    ("appliance.reboot", {}, None),
    ("appliance.failover", {}, None),
    ("appliance.version_string", {}, None),
    ("appliance.clock_skew", {}, None),
    ("tls.expired", {}, "validation"),
    ("tls.not_yet_valid", {}, "validation"),
    ("tls.wrong_name", {}, "validation"),
    ("tls.rotated", {}, "validation"),
    ("tls.stalled", {}, "timeout"),
    ("tls.old_version", {}, "connection"),
    ("net.down", {}, "connection"),
    ("net.refuse", {}, "connection"),
    ("net.unreachable", {}, "connection"),
    ("net.partition", {}, "timeout"),
    ("net.partition", {"direction": "to_appliance"}, "timeout"),
    ("net.partition", {"direction": "from_appliance"}, "timeout"),
    ("net.unaccepted", {}, "timeout"),
    ("net.latency", {"latency": 2000}, None),
    ("net.latency", {"latency": 2000, "jitter": 500, "stream": "upstream"}, None),
    ("net.latency", {"latency": 20000}, "timeout"),
    ("net.bandwidth", {"rate": 10}, None),
    ("net.bandwidth", {"rate": 0}, "timeout"),
    ("net.slow_close", {"delay": 1500}, "api"),
    ("net.timeout", {}, "timeout"),
    ("net.timeout", {"timeout": 500}, "connection"),
    ("net.reset_peer", {}, "connection"),
    ("net.reset_peer", {"timeout": 300, "stream": "upstream"}, "connection"),
    ("net.slicer", {"average_size": 100, "size_variation": 20, "delay": 5000}, None),
    ("net.limit_data", {"bytes": 600}, "api"),
    ("net.limit_data", {"bytes": 0}, "connection"),
    ("dns.nxdomain", {}, "connection"),
    ("dns.servfail", {}, "connection"),
    ("dns.slow", {"delay": "2s"}, None),
    ("dns.slow", {"delay": "7s"}, "timeout"),
    ("dns.silence", {}, "timeout"),
    ("clock.step", {"by": "1h"}, None),
    ("clock.step", {"by": "2h", "direction": "backward"}, None),
]


# What a client over REST of 24.10 with a full key does not meet; tests/mock_truenas/faults shows them on the wire.
ELSEWHERE = {
    *(name for name, kind in FAULT_KINDS.items() if kind.faces is not None or kind.acts_on <= {"handshake", "event"}),
    "front.idle_cut",
    "auth.allowlists_dead",
    "auth.plaintext_revocation",
    "auth.lose_session",
    "auth.expire_session",
    "auth.mechanism_choices",
    "auth.two_factor",
    "service.unknown",
    "reporting.gaps",
    "job.endless",
    "job.lost",
}


def places(kind: str) -> dict[str, Any]:
    """Two appliances as the kind needs them, and a connection to each; with TLS the certificate is pinned."""
    if not ALL_KINDS[kind].needs_tls:
        return {"appliances": TWO, "connections": BOTH}
    appliances = {name: {**each, "tls": True} for name, each in TWO.items()}
    return {
        "appliances": appliances,
        "connections": {name: {**each, "verify_tls": "pin"} for name, each in BOTH.items()},
    }


def timeline_of(kind: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """A window with the id ``it``, and what else must happen for a client to feel it."""
    entries = [{**window(kind, parameters), "id": "it"}]
    if kind == "net.slow_close":  # only who reads to the end of the stream waits for it
        entries.append(window("http.truncate_body", {"keep_bytes": 20}))
    return entries


def window(kind: str, parameters: dict[str, Any], at: str = "3m", length: str = "2m") -> dict[str, Any]:
    return {"at": at, "for": length, "fault": kind, "on": target_of(kind), "with": parameters}


def target_of(kind: str) -> str:
    return {"appliance": "nas-1", "system": "pulse"}[ALL_KINDS[kind].target]


def errors_by_type(done: Rehearsed, connection: str, until_ns: int) -> dict[str, float]:
    found = {}
    for error_type in ("auth", "timeout", "connection", "api", "validation", "internal", "not_found"):
        samples = done.log.series("pulse", ERRORS, instance=connection, error_type=error_type)
        values = [sample.value for sample in samples if sample.time_ns <= until_ns]
        if values and values[-1]:
            found[error_type] = values[-1]
    return found


def test_every_kind_of_both_tables_is_tried_here() -> None:
    tried = {kind for kind, _, _ in KINDS}
    assert tried.isdisjoint(ELSEWHERE)
    assert tried | ELSEWHERE == set(ALL_KINDS)


@pytest.mark.parametrize(("kind", "parameters", "error_type"), KINDS, ids=str)
def test_a_fault_is_felt_on_its_appliance_alone_and_gone_after_its_window(
    kind: str, parameters: dict[str, Any], error_type: str | None, tmp_path: Path
) -> None:
    text = scenario(**places(kind), timeline=timeline_of(kind, parameters))
    done = rehearse(tmp_path, text)
    assert done.outcome_of("faults_took_effect") is Outcome.PASSED
    assert errors_by_type(done, "nas-1", BEGIN) == {}
    after = errors_by_type(done, "nas-1", done.log.end_ns)
    assert set(after) == ({error_type} if error_type else set())
    assert errors_by_type(done, "nas-2", done.log.end_ns) == {}
    assert all(not request.faults for request in done.log.requests("nas-2"))
    late = [request for request in done.log.requests("nas-1") if request.arrival_ns > END + MINUTE]
    assert {(request.status, request.ended, request.faults) for request in late} == {(200, "complete", ())}
    assert errors_by_type(done, "nas-1", END + 2 * MINUTE) == after


# One of each family and stage: the edges are the world's business, whatever the kind.
EDGES = {(kind.partition(".")[0], ALL_KINDS[kind].stage): (kind, given) for kind, given, _ in KINDS}


@pytest.mark.parametrize(("kind", "parameters"), EDGES.values(), ids=str)
def test_injection_and_healing_are_recorded_at_the_edges_of_the_window(
    kind: str, parameters: dict[str, Any], tmp_path: Path
) -> None:
    done = rehearse(tmp_path, scenario(**places(kind), timeline=timeline_of(kind, parameters)))
    (inject,), (heal,) = done.of("fault/inject", "it"), done.of("fault/heal", "it")
    assert (inject.time_ns, heal.time_ns) == (BEGIN, END)
    told = {name: inject.data[name] for name in ("kind", "on", "from_ns", "to_ns", "stage", "connections")}
    assert told == {
        "kind": kind,
        "on": target_of(kind),
        "from_ns": BEGIN,
        "to_ns": END,
        "stage": ALL_KINDS[kind].stage.name.lower(),
        "connections": ["nas-1", "nas-2"] if target_of(kind) == "pulse" else ["nas-1"],
    }
    # A truth is on record when it is news: a key that was revoked does not make an appliance another one.
    changes_truth = kind in FAULT_KINDS and ALL_KINDS[kind].stage is Stage.STATE and not kind.startswith("auth.")
    truths = [record.time_ns for record in done.of("appliance/truth", "nas-1")]
    assert truths == [0, *((BEGIN, END) if changes_truth else ()), *GROWN]


@pytest.mark.parametrize(
    ("kind", "parameters", "change"),
    [
        ("net.slow_close", {"delay": 1500}, {}),
        ("net.slicer", {"average_size": 10}, {}),
        ("net.limit_data", {"bytes": 1_000_000}, {}),
        ("clock.step", {"by": "0s"}, {}),
        ("net.latency", {"latency": 2000, "toxicity": 0}, {}),
        ("tls.expired", {}, {"verify_tls": "skip"}),
    ],
    ids=str,
)
def test_a_fault_that_no_client_can_feel_leaves_the_run_inconclusive(
    kind: str, parameters: dict[str, Any], change: dict[str, Any], tmp_path: Path
) -> None:
    topology = places(kind)
    topology["connections"] = {name: {**each, **change} for name, each in topology["connections"].items()}
    done = rehearse(tmp_path, scenario(**topology, timeline=[window(kind, parameters)]))
    assert done.outcome_of("faults_took_effect") is Outcome.INCONCLUSIVE
    assert errors_by_type(done, "nas-1", done.log.end_ns) == {}


@pytest.mark.parametrize(
    ("kind", "parameters"), [(kind, given) for kind, given, _ in KINDS if kind.startswith("http.")], ids=str
)
def test_a_request_is_shaped_exactly_when_it_arrives_inside_the_window(
    kind: str, parameters: dict[str, Any], tmp_path: Path
) -> None:
    """To the microsecond, which is how finely the journal tells how long an exchange took."""
    instants = [BEGIN - MICROSECOND, BEGIN, END - MICROSECOND, END, END + MICROSECOND]
    done = rehearse(tmp_path, scenario(timeline=[window(kind, parameters)]), factory=prober(instants))
    shaped = {
        request.arrival_ns: bool(request.faults)
        for request in done.log.requests("nas-1")
        if request.credential is None and request.arrival_ns in instants
    }
    assert shaped == dict(zip(instants, [False, True, True, False, False], strict=True))


def test_a_status_is_answered_to_the_nanosecond_of_its_window(tmp_path: Path) -> None:
    instants = [BEGIN - 1, BEGIN, END - 1, END, END + 1]
    text = scenario(timeline=[window("http.status", {"status": 503})])
    done = rehearse(tmp_path, text, factory=prober(instants))
    assert seen(done) == dict(zip(instants, ["401", "503", "503", "401", "401"], strict=True))


@pytest.mark.parametrize(
    ("kind", "saw"), [("net.down", "ConnectionRefusedError"), ("appliance.down", "ConnectionRefusedError")]
)
def test_a_closed_door_opens_at_the_last_instant_and_not_before(kind: str, saw: str, tmp_path: Path) -> None:
    instants = [BEGIN, END - 1, END]
    factory = prober(instants, with_its="connect")
    done = rehearse(tmp_path, scenario(timeline=[window(kind, {})]), factory=factory)
    assert seen(done) == {BEGIN: saw, END - 1: saw, END: "401"}


def test_a_connection_is_reset_when_its_request_arrives_inside_the_window(tmp_path: Path) -> None:
    instants = [BEGIN - 1, BEGIN, END - 1, END]
    done = rehearse(tmp_path, scenario(timeline=[window("net.reset_peer", {})]), factory=prober(instants))
    reset = "ConnectionResetError"
    assert seen(done) == {BEGIN - 1: "401", BEGIN: reset, END - 1: reset, END: "401"}


def test_a_partition_holds_what_is_sent_inside_the_window_and_delivers_it_afterwards(tmp_path: Path) -> None:
    """The request to connect is sent one latency before it would arrive."""
    instants = [BEGIN + LATENCY_NS, END - 1 + LATENCY_NS, END + LATENCY_NS]
    factory = prober(instants, with_its="connect")
    done = rehearse(tmp_path, scenario(timeline=[window("net.partition", {})]), factory=factory)
    first, held, free = sorted(probes(done), key=lambda probe: int(probe["at_ns"]))
    assert first["saw"] == "TimeoutError"
    assert (held["saw"], held["connect_ns"]) == ("401", 2 * LATENCY_NS + 1)
    assert (free["saw"], free["connect_ns"]) == ("401", 2 * LATENCY_NS)


def test_latency_is_added_to_answers_sent_inside_the_window_and_held_ones_go_on_at_its_end(tmp_path: Path) -> None:
    instants = [BEGIN - 1, BEGIN, END - 1, END]
    factory = prober(instants)
    done = rehearse(tmp_path, scenario(timeline=[window("net.latency", {"latency": 2000})]), factory=factory)
    added = {probe["at_ns"]: probe["answer_ns"] - 2 * LATENCY_NS for probe in probes(done)}
    assert added == dict(zip(instants, [0, 2_000_000_000, 1, 0], strict=True))


@pytest.mark.parametrize(("direction", "arrives"), [("both", False), ("to_appliance", False), ("from_appliance", True)])
def test_a_partition_of_one_direction_lets_the_other_pass(direction: str, arrives: bool, tmp_path: Path) -> None:
    """What reaches the appliance is in its journal, whether or not the answer comes back."""
    instant = BEGIN + LATENCY_NS  # sent as the window begins, on a connection made before
    timeline = [window("net.partition", {"direction": direction})]
    done = rehearse(tmp_path, scenario(timeline=timeline), factory=prober([instant]))
    arrived = [one for one in done.log.requests("nas-1") if one.credential is None and one.arrival_ns == instant]
    assert seen(done) == {instant: "TimeoutError"}
    assert bool(arrived) is arrives


@pytest.mark.parametrize(
    ("kind", "parameters", "saw"),
    [
        ("net.down", {}, "ConnectionRefusedError"),
        ("net.refuse", {}, "ConnectionRefusedError"),
        ("net.unreachable", {}, "OSError"),
        ("net.unaccepted", {}, "TimeoutError"),
        ("dns.nxdomain", {}, "gaierror"),
        ("dns.silence", {}, "TimeoutError"),
    ],
)
def test_each_way_to_lose_an_appliance_has_its_own_face(
    kind: str, parameters: dict[str, Any], saw: str, tmp_path: Path
) -> None:
    factory = prober([4 * MINUTE, 7 * MINUTE], with_its="connect")
    done = rehearse(tmp_path, scenario(timeline=[window(kind, parameters)]), factory=factory)
    assert seen(done) == {4 * MINUTE: saw, 7 * MINUTE: "401"}


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_stepped_clock_dates_polls_wrongly_inside_the_window_only(direction: str, tmp_path: Path) -> None:
    step = {"by": "1h", "direction": direction}
    done = rehearse(tmp_path, scenario(timeline=[window("clock.step", step)]))
    stamps = done.log.series("pulse", "pulse_monitor_poll_last_success_timestamp", instance="nas-1")
    ages = [value.time_ns / SECOND - (value.value - START_NS / SECOND) for value in stamps]
    off = {value.time_ns // MINUTE: age for value, age in zip(stamps, ages, strict=True) if value.time_ns % MINUTE}
    hour = -3600 if direction == "forward" else 3600
    assert [round((age - 17) / 60) * 60 for age in off.values()][2:8] == [0, hour, hour, 0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("clock.step", {"by": "1h"}),
        ("net.latency", {"latency": 1000}),
        ("net.bandwidth", {"rate": 0}),
        ("dns.nxdomain", {}),
        ("net.timeout", {}),
    ],
    ids=str,
)
def test_of_two_overlapping_windows_of_one_kind_each_ends_for_itself(
    kind: str, parameters: dict[str, Any], tmp_path: Path
) -> None:
    timeline = [
        {**window(kind, parameters), "id": "long"},
        {**window(kind, parameters, at="4m", length="2m"), "id": "later"},
    ]
    done = rehearse(tmp_path, scenario(timeline=timeline, duration="16m"))
    assert done.outcome_of("faults_took_effect") is Outcome.PASSED
    healed = [(record.subject, record.time_ns) for record in done.of("fault/heal")]
    assert healed == [("long", END), ("later", 6 * MINUTE)]
    late = [request for request in done.log.requests("nas-1") if request.arrival_ns > 7 * MINUTE]
    assert {(request.status, request.ended) for request in late} == {(200, "complete")}
    assert done.broken == ()


@pytest.mark.parametrize("reversed_file", [False, True], ids=["in order", "later window named first"])
@pytest.mark.parametrize(
    ("first", "second", "before", "after"),
    [
        (("http.status", {"status": 502}), ("http.status", {"status": 500}), "502", "500"),
        (("http.status", {"status": 502}), ("net.down", {}), "502", "ConnectionRefusedError"),
        (("net.down", {}), ("http.status", {"status": 500}), "ConnectionRefusedError", "500"),
        (("appliance.down", {}), ("net.down", {}), "ConnectionRefusedError", "ConnectionRefusedError"),
        (("net.reset_peer", {}), ("appliance.down", {}), "ConnectionResetError", "ConnectionRefusedError"),
    ],
    ids=str,
)
def test_of_two_windows_back_to_back_the_first_is_healed_before_the_second_begins(
    first: tuple[str, Any],
    second: tuple[str, Any],
    before: str,
    after: str,
    reversed_file: bool,
    tmp_path: Path,
) -> None:
    timeline = [{**window(*first), "id": "first"}, {**window(*second, at="5m", length="1m"), "id": "second"}]
    text = scenario(timeline=timeline[::-1] if reversed_file else timeline)
    # One whole exchange before the edge, one connection opened after it, one after both windows.
    factory = prober([4 * MINUTE, END + 2 * LATENCY_NS, 6 * MINUTE + 2 * LATENCY_NS], with_its="connect")
    done = rehearse(tmp_path, text, factory=factory)
    assert list(seen(done).values()) == [before, after, "401"]
    edge = [record for record in done.log.records if record.time_ns == END and record.source == "fault"]
    assert [(record.kind, record.subject) for record in edge] == [("heal", "first"), ("inject", "second")]
    phases = [(record.time_ns, record.data["phase"]) for record in done.of("world/phase")]
    assert phases[-2:] == [(BEGIN, "inject"), (6 * MINUTE, "settle")], "there is no moment between the two"


def test_overlapping_windows_of_one_kind_end_one_by_one(tmp_path: Path) -> None:
    """Each heals for itself: the end of the shorter one does not end the longer one."""
    timeline = [
        {**window("net.down", {}), "id": "long"},
        {**window("net.down", {}, at="4m", length="30s"), "id": "short"},
    ]
    instants = [4 * MINUTE + MINUTE // 2 + 2 * LATENCY_NS, END - 1, END]
    done = rehearse(tmp_path, scenario(timeline=timeline), factory=prober(instants, with_its="connect"))
    assert list(seen(done).values()) == ["ConnectionRefusedError", "ConnectionRefusedError", "401"]


def test_a_window_that_begins_at_zero_is_set_before_the_first_poll_is_answered(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(timeline=[window("http.status", {"status": 502}, at="0s")]))
    polls = Counter(request.status for request in done.log.requests("nas-1") if request.arrival_ns < 2 * MINUTE)
    assert set(polls) == {502}


def test_a_run_with_every_kind_over_tls_is_the_same_twice(tmp_path: Path) -> None:
    """Certificates, alerts, name servers and toxics draw and sign nothing that differs from run to run."""
    kinds = {kind: given for kind, given, _ in KINDS}
    timeline = [
        window(kind, given, at=f"{3 + 2 * number}m", length="65s") for number, (kind, given) in enumerate(kinds.items())
    ]
    text = scenario(**places("tls.rotated"), timeline=timeline, duration=f"{2 * len(kinds) + 15}m")
    first, second = (rehearse(tmp_path / name, text) for name in ("first", "second"))
    assert len(first.of("fault/heal")) == len(kinds)
    assert first.trace_digest == second.trace_digest
    assert (first.broken, second.broken) == ((), ())
