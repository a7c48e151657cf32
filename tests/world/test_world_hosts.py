"""Each system and appliance is a host of its own: what is logged there or dies there is put down to it alone."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import FenceError
from pulse_sim.outcome import Outcome
from pulse_sim.sut.protocol import Place
from pulse_sim.units import MINUTE, SECOND
from pulse_sim.world.appliances import SimulatedAppliance
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.sut import plugins
from tests.sut.plugins import and_then
from tests.world.prober import MILLISECOND, START_NS, prober, probes

NAS = {"release": "24.10", "fixture": "small-office"}
ENABLED = {"environment": {"PULSE_ENABLE_TRUENAS": "true"}}
TWO_SYSTEMS = scenario(
    systems={"east": ENABLED, "west": ENABLED},
    appliances={"nas-1": NAS, "nas-2": {**NAS, "fixture": "baseline"}},
    connections={
        "nas-1": {"appliance": "nas-1", "system": "east"},
        "nas-2": {"appliance": "nas-2", "system": "west", "poll_interval": "30s"},
        "both": {"appliance": "nas-1", "system": "west"},
    },
)


def only_on(system: str, work: Callable[[Place], Any]) -> Callable[[Place], Any]:
    """The reference everywhere, with ``work`` on one system's host."""
    return lambda place: and_then(work if place.name == system else lambda _: None)(place)


def crashes(done: Rehearsed) -> list[tuple[str, dict[str, Any]]]:
    return [(record.subject, record.data) for record in done.of("sut/crash")]


def test_two_systems_share_the_appliances_and_nothing_else(tmp_path: Path) -> None:
    done = rehearse(tmp_path, TWO_SYSTEMS)
    assert (done.outcome, done.broken) == (Outcome.PASSED, ())
    polls = "pulse_monitor_poll_total"
    seen = {
        (system, connection): bool(done.log.series(system, polls, instance=connection))
        for system in ("east", "west")
        for connection in ("nas-1", "nas-2", "both")
    }
    assert {pair for pair, present in seen.items() if present} == {
        ("east", "nas-1"),
        ("west", "nas-2"),
        ("west", "both"),
    }
    assert [record.subject for record in done.of("world/disk")] == ["east", "west"]
    assert [record.subject for record in done.of("sut/stopped")] == ["east", "west"]


def test_a_log_record_belongs_to_the_host_it_was_written_on(tmp_path: Path) -> None:
    def greet(place: Place) -> None:
        logging.getLogger("plugin").info("hello from %(name)s", {"name": place.name})

    done = rehearse(tmp_path, TWO_SYSTEMS, factory=and_then(greet))
    told = [(record.subject, record.data["fields"]["name"]) for record in done.of("sut/log") if _is_greeting(record)]
    assert told == [("east", "east"), ("west", "west")]


def _is_greeting(record: Any) -> bool:
    return bool(record.data["logger"] == "plugin")


def test_what_an_appliance_logs_is_the_appliances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Talkative(MockTrueNAS):
        async def start(self, host: str, port: int) -> None:
            logging.getLogger("middlewared").warning("disk %(disk)s is hot", {"disk": "sda"})
            await super().start(host, port)

    monkeypatch.setattr("pulse_sim.world.appliances.MockTrueNAS", Talkative)
    done = rehearse(tmp_path, TWO_SYSTEMS)
    assert [(record.subject, record.data["template"]) for record in done.of("appliance/log")] == [
        ("nas-1", "disk %(disk)s is hot"),
        ("nas-2", "disk %(disk)s is hot"),
    ]
    assert not [record for record in done.of("sut/log") if record.data["logger"] == "middlewared"]


async def _dies(place: Place) -> None:
    await asyncio.sleep(90)
    raise ZeroDivisionError("of its own accord")


def test_a_dead_task_of_a_system_is_its_crash_and_never_crashes_fails(tmp_path: Path) -> None:
    done = rehearse(tmp_path, TWO_SYSTEMS, factory=only_on("west", _dies))
    ((system, data),) = crashes(done)
    assert (system, data["kind"], data["exception"]) == ("west", "task", "ZeroDivisionError")
    assert "own accord" not in str(data)
    assert done.broken == ()
    assert (done.outcome_of("never_crashes"), done.outcome) == (Outcome.FAILED, Outcome.FAILED)


async def _dies_in_a_cycle(place: Place) -> None:
    """The frame, kept by the traceback, keeps the task: only the garbage collector ever finds out."""
    itself = asyncio.current_task()
    await asyncio.sleep(13 * 60 + 50)
    raise ZeroDivisionError(itself is not None)


def test_a_task_that_dies_unseen_shortly_before_the_end_is_still_told(tmp_path: Path) -> None:
    done = rehearse(tmp_path, factory=and_then(_dies_in_a_cycle))
    assert [data["exception"] for _, data in crashes(done)] == ["ZeroDivisionError"]
    assert done.outcome is Outcome.FAILED


def test_a_callback_that_raises_on_a_systems_host_is_its_crash(tmp_path: Path) -> None:
    def plant(place: Place) -> None:
        asyncio.get_running_loop().call_later(100, lambda: [][1])

    done = rehearse(tmp_path, TWO_SYSTEMS, factory=only_on("east", plant))
    assert [(system, data["exception"]) for system, data in crashes(done)] == [("east", "IndexError")]
    assert done.of("sut/crash")[0].time_ns == 100 * SECOND + _started_ns(done, "east")
    assert done.outcome is Outcome.FAILED


def _started_ns(done: Rehearsed, system: str) -> int:
    return done.of("sut/started", system)[0].time_ns


def test_what_dies_on_an_appliances_host_is_the_harness_breaking_and_no_system_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(MockTrueNAS):
        async def start(self, host: str, port: int) -> None:
            asyncio.get_running_loop().call_later(60, lambda: dict[str, int]()["no such key"])
            await super().start(host, port)

    monkeypatch.setattr("pulse_sim.world.appliances.MockTrueNAS", Dying)
    done = rehearse(tmp_path)
    assert (done.outcome, crashes(done)) == (Outcome.ERRORED, [])
    assert done.log.end_reason == "crashed"
    (told,) = done.broken
    assert told.startswith("handle on host nas-1: KeyError: ")


def test_what_dies_on_the_operators_host_is_the_harness_breaking(tmp_path: Path) -> None:
    class BadAdapter(plugins.Minimal):
        async def scrape(self) -> Any:
            if self.place.clock.now_ns() < START_NS + MINUTE:
                raise ArithmeticError
            return await super().scrape()

    done = rehearse(tmp_path, factory=BadAdapter)
    assert (done.outcome, crashes(done), done.log.end_reason) == (Outcome.ERRORED, [], "crashed")
    (told,) = done.broken
    assert told.startswith("task on host operator: ArithmeticError: ")


def test_an_adapter_that_breaks_in_the_last_look_breaks_the_run(tmp_path: Path) -> None:
    class BadAdapter(plugins.Minimal):
        async def scrape(self) -> Any:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        rehearse(tmp_path, factory=BadAdapter)


@pytest.mark.parametrize(
    ("factory", "call"),
    [
        (plugins.starts_a_thread, "threading.Thread.start"),
        (plugins.opens_a_real_socket, "socket.connect"),
        (plugins.swallows_its_escape, "socket.getaddrinfo"),
    ],
)
def test_a_system_that_leaves_the_simulation_ends_the_run_by_the_name_of_the_call(
    tmp_path: Path, factory: Any, call: str
) -> None:
    with pytest.raises(FenceError, match=call):
        rehearse(tmp_path, factory=factory)


# ---- transport and credentials


def polls_of(done: Rehearsed) -> tuple[int, int]:
    """Successes and failures of nas-1 at the end."""
    counts = {}
    for result in ("success", "error"):
        samples = done.log.series("pulse", "pulse_monitor_poll_total", instance="nas-1", result=result)
        counts[result] = int(samples[-1].value) if samples else 0
    return counts["success"], counts["error"]


@pytest.mark.parametrize("verify_tls", ["skip", "pin"])
@pytest.mark.parametrize("credentials", ["api_key", "basic"])
def test_every_way_to_connect_over_tls_works(tmp_path: Path, verify_tls: str, credentials: str) -> None:
    connection = {"appliance": "nas-1", "verify_tls": verify_tls, "credentials": credentials}
    text = scenario(appliances={"nas-1": {**NAS, "tls": True}}, connections={"nas-1": connection})
    done = rehearse(tmp_path, text)
    assert polls_of(done) == (14, 0)
    statuses = [request.status for request in done.log.requests("nas-1")]
    # A release before 25.04 redirects the WebSocket that is tried first, and is asked over REST from then on.
    assert (statuses[0], set(statuses[1:])) == (302, {200})


@pytest.mark.parametrize(
    ("changed", "verify_tls", "error_type"),
    [
        ({"fingerprint": "00" * 32}, "pin", "validation"),
        ({"insecureSkipVerify": False}, "skip", "validation"),
        ({"apiKey": "1-PSIMSECRETnotthekey"}, "skip", "auth"),
    ],
    ids=["another fingerprint", "checked for real", "another key"],
)
def test_none_of_them_works_with_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], verify_tls: str, error_type: str
) -> None:
    honest = SimulatedAppliance.connection_record
    monkeypatch.setattr(SimulatedAppliance, "connection_record", lambda self, *how: {**honest(self, *how), **changed})
    connection = {"appliance": "nas-1", "verify_tls": verify_tls}
    text = scenario(appliances={"nas-1": {**NAS, "tls": True}}, connections={"nas-1": connection})
    done = rehearse(tmp_path, text)
    successes, failures = polls_of(done)
    assert (successes, failures > 0) == (0, True)
    errors = done.log.series("pulse", "pulse_monitor_poll_errors_total", instance="nas-1", error_type=error_type)
    assert errors[-1].value == failures


def test_a_wrong_password_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SimulatedAppliance.connection_record
    monkeypatch.setattr(
        SimulatedAppliance, "connection_record", lambda self, *how: {**honest(self, *how), "password": "PSIMSECRETx"}
    )
    text = scenario(connections={"nas-1": {"appliance": "nas-1", "credentials": "basic"}})
    done = rehearse(tmp_path, text)
    assert polls_of(done)[0] == 0
    assert {request.status for request in done.log.requests("nas-1")} == {401}


# ---- latency


@pytest.mark.parametrize("latency_ms", [1, 40, 250])
def test_the_latency_of_the_scenario_is_what_a_client_waits_for(tmp_path: Path, latency_ms: int) -> None:
    appliances = {"nas-1": {**NAS, "latency": f"{latency_ms}ms"}}
    factory = prober([MINUTE + 30 * SECOND], with_its="connect")
    done = rehearse(tmp_path, scenario(appliances=appliances), factory=factory)
    (probe,) = probes(done)
    one_way_ns = latency_ms * MILLISECOND
    (request,) = [request for request in done.log.requests("nas-1") if request.credential is None]
    assert probe["connect_ns"] == 2 * one_way_ns
    assert probe["answer_ns"] == 2 * one_way_ns + request.duration_ns


def test_each_appliance_has_its_own_latency_and_the_system_is_not_slowed(tmp_path: Path) -> None:
    appliances = {"nas-1": {**NAS, "latency": "100ms"}, "nas-2": {**NAS, "latency": "2ms"}}
    at_ns = [MINUTE + 30 * SECOND]
    waited = {}
    for name in appliances:
        done = rehearse(
            tmp_path / name, scenario(appliances=appliances), factory=prober(at_ns, with_its="connect", appliance=name)
        )
        (probe,) = probes(done)
        waited[name] = probe["connect_ns"] // MILLISECOND
        scrape = done.of("sampler/metrics")[0]
        assert scrape.time_ns == 17 * SECOND + MILLISECOND // 2
    assert waited == {"nas-1": 200, "nas-2": 4}


# ---- however it ends


def test_a_world_that_does_not_open_leaves_logging_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stillborn(MockTrueNAS):
        async def start(self, host: str, port: int) -> None:
            raise PermissionError("no door")

    monkeypatch.setattr("pulse_sim.world.appliances.MockTrueNAS", Stillborn)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with pytest.raises(PermissionError):
        rehearse(tmp_path)
    assert (root.level, root.handlers) == before
