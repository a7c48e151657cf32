"""One run from first to last record: phases and looks at exact times, and an orderly end however it comes."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.observation import Source
from pulse_sim.outcome import Outcome
from pulse_sim.run.conduct import Run
from pulse_sim.run.script import script_of
from pulse_sim.scenario.load import parse_scenario
from pulse_sim.sut.protocol import Answer, Place, SystemFailure
from pulse_sim.sut.reference import ReferenceSystem
from pulse_sim.units import HOUR, MINUTE, SECOND
from tests.run.rehearsal import SMALL, Rehearsed, rehearse, scenario
from tests.sut.plugins import Minimal, NeverUp

START_NS = 1_770_595_200_000_000_000
TWO_WINDOWS = [
    {"at": "3m", "for": "1m", "fault": "auth.revoke_key", "on": "nas-1", "id": "first"},
    {"at": "5m30s", "for": "30s", "fault": "net.down", "on": "nas-1", "id": "second"},
]


def phases(done: Rehearsed) -> list[tuple[float, str]]:
    return [(record.time_ns / SECOND, record.data["phase"]) for record in done.of("world/phase")]


class Watched(Minimal):
    """Remembers when it was looked at, at the instant of asking."""

    def __init__(self, place: Place, looks: dict[str, list[float]]) -> None:
        super().__init__(place)
        self._looks = looks

    def _note(self, what: str) -> None:
        self._looks.setdefault(what, []).append((self.place.clock.now_ns() - START_NS) / SECOND)

    async def scrape(self) -> Answer:
        self._note("metrics")
        return await super().scrape()

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        self._note(path.partition("?")[0])
        return await super().request(method, path, json)


def looks_during(directory: Path, **parts: Any) -> dict[str, list[float]]:
    looks: dict[str, list[float]] = {}
    rehearse(directory, scenario(**parts), factory=lambda place: Watched(place, looks))
    return looks


# ---- phases


def test_phases_are_recorded_once_each_in_order_and_at_their_times(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(timeline=TWO_WINDOWS))
    assert phases(done) == [
        (0.0, "warm-up"),
        (17.0005, "steady"),
        (180.0, "inject"),
        (240.0, "heal"),
        (330.0, "inject"),
        (360.0, "settle"),
    ]
    assert [record.time_ns for record in done.of("fault/inject")] == [3 * MINUTE, 5 * MINUTE + 30 * SECOND]
    assert [record.time_ns for record in done.of("fault/heal")] == [4 * MINUTE, 6 * MINUTE]


def test_it_is_warm_up_until_every_connection_has_succeeded_once(tmp_path: Path) -> None:
    """One of the two cannot log in before its key is renewed at 2m."""
    nas = {"release": "24.10", "fixture": "baseline"}
    connections = {name: {"appliance": name} for name in ("nas-1", "nas-2")}
    done = rehearse(
        tmp_path,
        scenario(
            appliances={"nas-1": nas, "nas-2": nas},
            connections=connections,
            timeline=[{"at": "2m", "do": "update_connection", "with": {"id": "nas-2", "poll_interval": "30s"}}],
        ),
        factory=LateKey,
    )
    assert phases(done) == [(0.0, "warm-up"), (137.0005, "steady")]


class LateKey(ReferenceSystem):
    """Passes on a wrong key of nas-2 when the connection is added, and the right one when it is changed."""

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        if method == "POST" and json["id"] == "nas-2":
            json = {**json, "apiKey": "1-PSIMSECRETwrong"}
        return await super().request(method, path, json)


def test_inside_a_window_at_the_start_it_is_inject_and_not_warm_up(tmp_path: Path) -> None:
    timeline = [{"at": "0s", "for": "90s", "fault": "net.down", "on": "nas-1"}]
    assert phases(rehearse(tmp_path, scenario(timeline=timeline))) == [(0.0, "inject"), (90.0, "settle")]


def test_a_system_that_never_polls_stays_in_warm_up(tmp_path: Path) -> None:
    assert phases(rehearse(tmp_path, scenario(), factory=Minimal)) == [(0.0, "warm-up")]


def test_counts_are_noted_with_every_phase_every_hour_and_at_the_end(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(duration="3h30m", timeline=TWO_WINDOWS))
    at_s = [record.time_ns / SECOND for record in done.of("world/counts")]
    assert at_s == [0.0, 17.0005, 180.0, 240.0, 330.0, 360.0, 3600.0, 7200.0, 10800.0, 12600.0]
    assert done.of("world/counts")[-1].time_ns == 3 * HOUR + 30 * MINUTE


# ---- looks


def test_metrics_are_looked_at_off_the_minute_at_every_edge_and_at_the_end(tmp_path: Path) -> None:
    looks = looks_during(tmp_path, timeline=TWO_WINDOWS)
    by_the_clock = [17.0 + 60 * minute for minute in range(14)]
    assert looks["metrics"] == sorted([*by_the_clock, 180.0, 240.0, 330.0, 360.0, 840.0])


@pytest.mark.parametrize("page", ["/api/v2/resources", "/api/truenas/connections", "/api/health"])
def test_state_is_looked_at_every_five_minutes_at_every_edge_and_at_the_end(tmp_path: Path, page: str) -> None:
    looks = looks_during(tmp_path, timeline=TWO_WINDOWS, connections={})[page]
    # Pages of one look are read one after the other, so all but the first come some round trips later.
    assert [round(at_s, 1) for at_s in looks] == [180.0, 240.0, 300.0, 330.0, 360.0, 600.0, 840.0]


def test_the_first_page_of_a_look_is_asked_for_at_the_very_instant(tmp_path: Path) -> None:
    assert looks_during(tmp_path)["/api/health"] == [300.0, 600.0, 840.0005]


def test_a_scenario_may_ask_for_more(tmp_path: Path) -> None:
    looks = looks_during(tmp_path, duration="2m", sampling={"metrics": "10s", "resources": "30s"})
    assert looks["metrics"] == [*(17.0 + 10 * turn for turn in range(11)), 120.0]
    assert [round(at_s, 1) for at_s in looks["/api/health"]] == [30.0, 60.0, 90.0, 120.0]


def test_nothing_is_looked_at_after_the_end(tmp_path: Path) -> None:
    """A period that ends exactly with the run does not add a look to the last one."""
    looks = looks_during(tmp_path, duration="10m")
    assert looks["/api/health"] == [300.0, 600.0005]


def test_the_log_says_how_often_it_was_to_be_looked_at(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(duration="2m", sampling={"metrics": "10s", "resources": "30s"}))
    assert (done.log.metrics_interval_ns, done.log.resources_interval_ns) == (10 * SECOND, 30 * SECOND)


# ---- systems that do not do their part


async def _refuse() -> None:
    raise SystemFailure("no licence")


async def _hang() -> None:
    await asyncio.get_running_loop().create_future()


async def _spin() -> None:
    for _ in range(10**6):  # never idle, so that no deadlock is noticed either
        await asyncio.sleep(1)


def _blow_up() -> None:
    raise ZeroDivisionError("in the adapter")


@pytest.mark.parametrize(
    ("fail", "exception", "at_ns"),
    [
        (_refuse, "SystemFailure", 0),
        (_hang, "TimeoutError", MINUTE),
        (_spin, "TimeoutError", MINUTE),
        (_blow_up, "ZeroDivisionError", 0),
    ],
)
def test_a_system_that_does_not_start_fails_the_run_and_does_not_hang_it(
    tmp_path: Path, fail: Callable[[], Any], exception: str, at_ns: int
) -> None:
    done = rehearse(tmp_path, scenario(), factory=lambda place: NeverUp(place, fail))
    (crash,) = done.of("sut/crash")
    assert (crash.time_ns, crash.subject) == (at_ns, "pulse")
    assert crash.data == {"kind": "start", "exception": exception, "template": "the system did not start"}
    assert (done.of("sut/started"), done.of("sut/stopped")) == ([], [])
    assert done.outcome_of("never_crashes") is Outcome.FAILED
    assert (done.outcome, done.log.end_reason, done.broken) == (Outcome.FAILED, "completed", ())
    assert done.log.end_ns // SECOND == 14 * 60


def test_settings_the_reference_refuses_are_a_start_that_failed(tmp_path: Path) -> None:
    systems = {"pulse": {"environment": {"PULSE_ENABLE_TRUENAS": "true", "PULSE_NODE_LIMIT": "many"}}}
    done = rehearse(tmp_path, scenario(systems=systems))
    assert [record.data["kind"] for record in done.of("sut/crash")] == ["start"]
    assert done.outcome is Outcome.FAILED


def test_of_two_systems_the_one_that_starts_goes_on_and_is_stopped(tmp_path: Path) -> None:
    systems = {name: {"environment": {"PULSE_ENABLE_TRUENAS": "true"}} for name in ("good", "bad")}
    text = scenario(systems=systems, connections={})

    def factory(place: Place) -> Minimal:
        return NeverUp(place, _refuse) if place.name == "bad" else Minimal(place)

    done = rehearse(tmp_path, text, factory=factory)
    assert [record.subject for record in done.of("sut/started")] == ["good"]
    assert [record.subject for record in done.of("sut/stopped")] == ["good"]
    assert [scrape.ok for scrape in done.log.scrapes("good")] == [True] * 15
    assert [scrape.ok for scrape in done.log.scrapes("bad")] == [False] * 15


@pytest.mark.parametrize(("fail", "at_ns"), [(_hang, 15 * MINUTE), (_refuse, 14 * MINUTE)])
def test_a_system_that_does_not_stop_in_order_has_crashed(
    tmp_path: Path, fail: Callable[[], Coroutine[Any, Any, None]], at_ns: int
) -> None:
    class Stubborn(Minimal):
        async def stop(self) -> None:
            await super().stop()
            await fail()

    done = rehearse(tmp_path, scenario(connections={}), factory=Stubborn)
    (crash,) = done.of("sut/crash")
    assert (crash.data["kind"], crash.time_ns // SECOND) == ("stop", at_ns // SECOND)
    assert [record.subject for record in done.of("sut/stopped")] == ["pulse"]
    assert done.outcome_of("never_crashes") is Outcome.FAILED


# ---- however it ends


class Ledger:
    """A world of nothing, and a system in it, that remember what they were told; one step of one's choice fails."""

    name = "ledger"
    version = "ledger 1"
    capabilities: frozenset[Any] = frozenset()

    def __init__(self, fails_at: str) -> None:
        self.done: list[str] = []
        self._fails_at = fails_at

    def _do(self, step: str) -> None:
        self.done.append(step)
        if step == self._fails_at:
            raise ArithmeticError(step)

    @property
    def systems(self) -> Mapping[str, Any]:
        return {"pulse": self}

    def now_ns(self) -> int:
        return 0

    def at(self, at_ns: int, instant: Any, action: Callable[[], None]) -> None:
        self._do("schedule")

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        coroutine.close()

    async def open(self, observe: Any) -> None:
        self._do("open")

    async def close(self) -> None:
        self._do("close")

    def connection_record(self, appliance: str, verify_tls: str, credentials: str) -> dict[str, Any]:
        return {}

    def inject(self, fault_id: str, kind: str, on: str, parameters: Any) -> None:
        raise AssertionError("nothing is due at the start")

    def heal(self, fault_id: str) -> None:
        self._do(f"heal {fault_id}")

    def note_truth(self, appliance: str) -> None:
        self._do("truth")

    def serials(self, appliance: str) -> list[str]:
        raise AssertionError("nobody asks for disks")

    async def receive(self, port: int, for_ns: int) -> list[bytes]:
        raise AssertionError("nobody listens")

    def power_off(self, system: str, *, torn: bool) -> None:
        raise AssertionError("nobody takes its power")

    def power_on(self, system: str) -> None:
        raise AssertionError("nobody took its power")

    def counts(self) -> Mapping[str, int]:
        return {"tasks": 0, "transports": 0, "timers": 0}

    def disk(self, system: str) -> dict[str, Any]:
        self._do(f"disk {system}")
        return {"files": {}, "leaks": []}

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        self._do("start")

    async def stop(self) -> None:
        self._do("stop")

    async def restart(self, environment: Mapping[str, str], variant: str) -> None:
        raise AssertionError("nobody restarts it")

    async def kill(self) -> None:
        raise AssertionError("nobody kills it")

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        self._do("request")
        return Answer(200, b"")

    async def scrape(self) -> Answer:
        return Answer(200, b"")

    async def remove_file(self, name: str) -> None:
        raise AssertionError("nobody removes files")


ENDING = ["heal first", "heal second", "stop", "close", "disk pulse"]


def conducted(fails_at: str) -> tuple[Ledger, list[str]]:
    """What happened, and the records made, in a run that one failure ends."""
    ledger = Ledger(fails_at)
    records: list[str] = []

    def observe(source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        records.append(f"{source}/{kind}")
        return len(records)

    script = script_of(parse_scenario("x.yaml", scenario(timeline=TWO_WINDOWS).encode()))
    with pytest.raises(ArithmeticError, match=fails_at):
        asyncio.run(Run(script, ledger, observe).conduct())
    return ledger, records


@pytest.mark.parametrize("fails_at", ["open", "truth", "request", "schedule"])
def test_wherever_the_harness_raises_all_is_healed_stopped_and_closed(fails_at: str) -> None:
    ledger, records = conducted(fails_at)
    assert ledger.done[ledger.done.index(fails_at) + 1 :] == ENDING
    assert records.count("world/disk") == 1
    assert ("sut/stopped" in records) == ("sut/started" in records)


@pytest.mark.parametrize("second", ["heal first", "heal second", "close", "disk pulse"])
def test_an_end_that_itself_goes_wrong_is_still_gone_through(second: str) -> None:
    class TwiceUnlucky(Ledger):
        def _do(self, step: str) -> None:
            super()._do(step)
            if step == "truth":
                raise LookupError(step)

    ledger = TwiceUnlucky(second)
    script = script_of(parse_scenario("x.yaml", scenario(timeline=TWO_WINDOWS).encode()))
    with pytest.raises(ArithmeticError, match=second):
        asyncio.run(Run(script, ledger, lambda *_: 0).conduct())
    assert ledger.done[ledger.done.index("truth") + 1 :] == ENDING


def test_a_run_ends_in_order(tmp_path: Path) -> None:
    done = rehearse(tmp_path)
    last = [f"{record.source}/{record.kind}" for record in done.log.records if record.time_ns >= done.log.end_ns]
    assert last[-3:] == ["sut/stopped", "world/disk", "world/end"]
    assert done.log.end_reason == "completed"
    assert SMALL.count("14m") == 1
    assert done.log.end_ns // SECOND == 14 * 60
