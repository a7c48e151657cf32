"""What an operator does is recorded as it was asked for and answered, and the record holds no secret."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.observation.secrecy import find_secret_forms
from pulse_sim.outcome import Outcome
from pulse_sim.run import operator
from pulse_sim.scenario.actions import ACTIONS
from pulse_sim.sut.protocol import Answer, Capability, SystemFailure
from pulse_sim.sut.reference import ReferenceSystem
from pulse_sim.units import MINUTE, SECOND
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.sut.plugins import Minimal

NAS = {"release": "24.10", "fixture": "baseline"}
THREE = dict.fromkeys(("nas-1", "nas-2", "nas-3"), NAS)
EVERY_ACTION: list[dict[str, Any]] = [
    {"at": "2m", "do": "add_connection", "with": {"id": "nas-2", "appliance": "nas-2", "poll_interval": "20s"}},
    {"at": "3m", "do": "update_connection", "with": {"id": "nas-2", "credentials": "basic"}},
    {"at": "4m", "do": "disable_connection", "with": {"id": "nas-2"}},
    {"at": "5m", "do": "enable_connection", "with": {"id": "nas-2"}},
    {"at": "6m", "do": "test_connection", "with": {"id": "nas-2"}},
    {"at": "7m", "do": "restart_system", "with": {"environment": {"PULSE_NODE_LIMIT": "9"}}},
    {"at": "8m", "do": "remove_connection", "with": {"id": "nas-2"}},
    {"at": "9m", "do": "kill_system", "with": {"down_for": "1s"}},
    {"at": "10m", "do": "ask_system", "with": {"path": "/api/truenas/connections"}},
    {"at": "11m", "do": "remove_file", "with": {"name": "truenas.enc"}},
    {"at": "12m", "do": "report_host", "with": {"host": "web-1", "every": "10s", "times": 4}},
    {"at": "13m", "do": "send_request", "with": {"path": "/api/truenas/connections"}},
    {"at": "13m30s", "do": "receive_alerts", "with": {"lasting": "10s"}},
]


def actions(done: Rehearsed, after_ns: int = SECOND) -> list[tuple[str, int | None, str | None]]:
    return [
        (record.data["do"], record.data["status"], record.data["error"])
        for record in done.of("operator/action")
        if record.time_ns >= after_ns
    ]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    return rehearse(tmp_path_factory.mktemp("busy"), scenario(appliances=THREE, timeline=EVERY_ACTION))


def test_the_story_has_every_action_of_the_table() -> None:
    assert {entry["do"] for entry in EVERY_ACTION} == set(ACTIONS)


def test_every_action_is_recorded_with_its_answer(busy: Rehearsed) -> None:
    assert actions(busy, 0) == [
        ("add_connection", 201, None),
        ("add_connection", 201, None),
        ("update_connection", 200, None),
        ("disable_connection", 200, None),
        ("enable_connection", 200, None),
        ("test_connection", 200, None),
        ("restart_system", 200, None),
        ("remove_connection", 200, None),
        ("kill_system", 200, None),
        ("ask_system", 200, None),
        ("remove_file", 200, None),
        ("report_host", 200, None),
        ("send_request", 401, "unauthorized"),
        ("receive_alerts", 200, None),
    ]
    minutes = [record.time_ns // MINUTE for record in busy.of("operator/action")]
    assert minutes == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 13]
    assert {record.subject for record in busy.of("operator/action")} == {"pulse"}
    assert (busy.outcome, busy.broken) == (Outcome.PASSED, ())


def test_what_was_asked_for_is_recorded_and_no_secret_with_it(busy: Rehearsed) -> None:
    recorded = {
        (record.data["do"], record.time_ns // MINUTE): record.data["with"] for record in busy.of("operator/action")
    }
    assert recorded[("add_connection", 2)] == {
        "id": "nas-2",
        "appliance": "nas-2",
        "poll_interval_ns": 20 * SECOND,
        "verify_tls": "skip",
        "credentials": "api_key",
    }
    assert recorded[("add_connection", 0)]["system"] == "pulse"
    assert {name: value for name, value in recorded[("update_connection", 3)].items() if value is not None} == {
        "id": "nas-2",
        "credentials": "basic",
    }
    assert recorded[("restart_system", 7)]["environment"] == {"PULSE_NODE_LIMIT": "9"}
    assert recorded[("disable_connection", 4)] == {"id": "nas-2"}
    assert not find_secret_forms(json.dumps([record.data for record in busy.of("operator/action")]).encode())


def test_what_a_page_answered_is_on_record(busy: Rehearsed) -> None:
    (asked,) = [record.data for record in busy.of("operator/action") if record.data["do"] == "ask_system"]
    assert [row["id"] for row in json.loads(asked["body"])] == ["nas-1"]
    assert asked["whole"] is True


def test_a_removed_file_is_gone_from_then_on_and_the_directory_was_looked_at_before_and_after(busy: Rehearsed) -> None:
    looks = [(record.time_ns // SECOND, "truenas.enc" in record.data["files"]) for record in busy.of("world/disk")]
    assert looks == [(660, True), (661, False), (840, False)]


def test_a_host_reports_itself_again_and_again_and_through_a_restart(tmp_path: Path) -> None:
    timeline = [
        {"at": "2m", "do": "report_host", "with": {"host": "web-1", "every": "20s", "times": 13}},
        {"at": "3m30s", "do": "kill_system", "with": {"down_for": "30s"}},
    ]
    done = rehearse(tmp_path, scenario(timeline=timeline, sampling={"metrics": "1m", "resources": "15s"}))
    assert ("report_host", 200, None) in actions(done)
    shown = {
        sample.time_ns // SECOND: agent["sourceStatus"]["agent"]["status"]
        for sample in done.log.resources("pulse")
        if (agent := sample.with_source_id("host:web-1")) is not None
    }
    assert min(shown) == 120
    assert {status for at, status in shown.items() if at <= 210 or 270 <= at <= 400} == {"online"}
    assert {status for at, status in shown.items() if at >= 450} == {"stale"}


def test_of_a_long_answer_the_beginning_is_kept_and_said_to_be_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(operator, "BODY_LIMIT", 20)
    timeline = [{"at": "2m", "do": "ask_system", "with": {"path": "/api/v2/resources"}}]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    (asked,) = [record.data for record in done.of("operator/action") if record.data["do"] == "ask_system"]
    assert (len(asked["body"]), asked["whole"]) == (20, False)


def test_a_page_that_refuses_is_recorded_with_its_body(tmp_path: Path) -> None:
    timeline = [{"at": "2m", "do": "ask_system", "with": {"path": "/api/nothing"}}]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    (asked,) = [record.data for record in done.of("operator/action") if record.data["do"] == "ask_system"]
    assert (asked["status"], asked["error"]) == (404, json.loads(asked["body"])["code"])


def test_a_file_that_is_not_there_cannot_be_removed(tmp_path: Path) -> None:
    timeline = [{"at": "2m", "do": "remove_file", "with": {"name": "nothing.enc"}}]
    assert actions(rehearse(tmp_path, scenario(timeline=timeline))) == [("remove_file", None, "SystemFailure")]


def test_actions_have_their_effect_from_their_time_on(busy: Rehearsed) -> None:
    arrivals = [request.arrival_ns / MINUTE for request in busy.log.requests("nas-2")]
    assert min(arrivals) >= 2
    assert not [at for at in arrivals if 4.02 < at < 5], "disabled"
    assert [at for at in arrivals if 5 <= at < 6]
    assert [at for at in arrivals if 7 <= at < 8], "still there after the restart"
    assert max(arrivals) < 8.02, "removed"
    credentials = {int(request.arrival_ns // MINUTE): request.credential for request in busy.log.requests("nas-2")}
    assert credentials[2] != credentials[3] == credentials[7]


def test_a_restart_is_recorded_and_keeps_the_data_directory(tmp_path: Path) -> None:
    timeline = [{"at": "3m", "do": "restart_system"}]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    lives = [
        (record.kind, record.time_ns // SECOND) for record in done.log.records if record.kind in ("started", "stopped")
    ]
    assert lives == [("started", 0), ("stopped", 180), ("started", 180), ("stopped", 840)]
    assert [at for at in (request.arrival_ns for request in done.log.requests("nas-1")) if at > 4 * MINUTE]
    undisturbed = rehearse(tmp_path / "undisturbed", scenario())
    (disk,), (other,) = done.of("world/disk"), undisturbed.of("world/disk")
    for name in ("truenas.enc", ".encryption.key"):
        assert disk.data["files"][name] == other.data["files"][name]


def test_a_restart_may_change_the_variant_and_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    timeline = [
        {"at": "3m", "do": "restart_system", "with": {"variant": "without-truenas"}},
        {"at": "4m", "do": "test_connection", "with": {"id": "nas-1"}},
        {"at": "5m", "do": "restart_system", "with": {"environment": {"PULSE_ENABLE_TRUENAS": "false"}}},
        {"at": "6m", "do": "restart_system", "with": {"variant": "truenas-on-by-default"}},
        {"at": "7m", "do": "test_connection", "with": {"id": "nas-1"}},
    ]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    variants = [record.data["variant"] for record in done.of("sut/started")]
    assert variants == ["truenas-off-by-default", "without-truenas", "without-truenas", "truenas-on-by-default"]
    told = [status for do, status, _ in actions(done) if do == "test_connection"]
    assert told == [404, 200]
    late = [request for request in done.log.requests("nas-1") if request.arrival_ns > 8 * MINUTE]
    assert late == [], "PULSE_ENABLE_TRUENAS stays false through the last restart"


class OnceOnly(ReferenceSystem):
    """Starts once and never again."""

    starts = 0

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        self.starts += 1
        if self.starts > 1:
            raise SystemFailure("worn out")
        await super().start(environment, variant)


def test_a_restart_that_does_not_come_up_again_is_a_crash(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario(timeline=[{"at": "3m", "do": "restart_system"}]), factory=OnceOnly)
    assert actions(done) == [("restart_system", None, "SystemFailure")]
    (crash,) = done.of("sut/crash")
    assert (crash.data["kind"], crash.time_ns // MINUTE) == ("start", 3)
    assert [record.kind for record in done.log.records if record.kind in ("started", "stopped")] == [
        "started",
        "stopped",
    ]
    assert (done.outcome_of("never_crashes"), done.outcome, done.broken) == (Outcome.FAILED, Outcome.FAILED, ())


def test_a_connection_can_be_moved_to_another_appliance(tmp_path: Path) -> None:
    timeline = [
        {"at": "3m", "do": "update_connection", "with": {"id": "nas-1", "appliance": "nas-2"}},
        {"at": "5m", "for": "1m", "fault": "http.status", "on": "nas-1", "with": {"status": 502}, "id": "old"},
        {"at": "5m", "for": "1m", "fault": "http.status", "on": "nas-2", "with": {"status": 502}, "id": "new"},
    ]
    done = rehearse(tmp_path, scenario(appliances=THREE, timeline=timeline))
    assert actions(done) == [("update_connection", 200, None)]
    old, new = ([request.arrival_ns for request in done.log.requests(name)] for name in ("nas-1", "nas-2"))
    assert max(old) < 3 * MINUTE + SECOND < 4 * MINUTE < max(new)
    assert min(new) >= 3 * MINUTE
    polled = {record.subject: record.data["connections"] for record in done.of("fault/inject")}
    assert polled == {"old": [], "new": ["nas-1"]}


def test_a_fault_names_the_connections_that_poll_its_appliance_by_then(tmp_path: Path) -> None:
    def window(at: str, name: str) -> dict[str, Any]:
        return {"at": at, "for": "30s", "fault": "http.status", "on": "nas-2", "with": {"status": 502}, "id": name}

    timeline = [
        window("2m", "before"),
        {"at": "3m", "do": "add_connection", "with": {"id": "second", "appliance": "nas-2"}},
        window("4m", "during"),
        {"at": "5m", "do": "remove_connection", "with": {"id": "second"}},
        window("6m", "after"),
    ]
    done = rehearse(tmp_path, scenario(appliances=THREE, duration="16m", timeline=timeline))
    polled = {record.subject: record.data["connections"] for record in done.of("fault/inject")}
    assert polled == {"before": [], "during": ["second"], "after": []}


def test_what_the_system_refuses_is_recorded_with_its_code(tmp_path: Path) -> None:
    timeline = [
        {"at": "2m", "do": "add_connection", "with": {"id": "twin", "appliance": "nas-1"}},
        {"at": "3m", "do": "remove_connection", "with": {"id": "twin"}},
        {"at": "4m", "for": "2m", "fault": "auth.revoke_key", "on": "nas-1"},
        {"at": "5m", "do": "test_connection", "with": {"id": "nas-1"}},
        {"at": "6m", "do": "restart_system", "with": {"environment": {"PULSE_NODE_LIMIT": "1"}}},
        {"at": "7m", "do": "add_connection", "with": {"id": "nas-2", "appliance": "nas-2"}},
        {"at": "7m30s", "do": "update_connection", "with": {"id": "nas-2", "poll_interval": "5s"}},
    ]
    done = rehearse(tmp_path, scenario(appliances=THREE, duration="16m", timeline=timeline))
    assert actions(done) == [
        ("add_connection", 409, "duplicate_connection"),
        ("remove_connection", 404, "truenas_not_found"),
        ("test_connection", 400, "truenas_connection_failed"),
        ("restart_system", 200, None),
        ("add_connection", 403, "node_limit_reached"),
        ("update_connection", 404, "truenas_not_found"),
    ]
    assert list(done.log.connections) == ["nas-1"]
    assert done.broken == ()


def test_an_operator_who_finds_nobody_there_records_it(tmp_path: Path) -> None:
    class Gone(Minimal):
        async def start(self, environment: Mapping[str, str], variant: str) -> None:
            await super().start(environment, variant)
            await self.stop()

    done = rehearse(tmp_path, scenario(), factory=Gone)
    assert actions(done, 0) == [("add_connection", None, "ConnectionError")]
    assert done.outcome_of("never_crashes") is Outcome.FAILED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code":"mine"}', "mine"),
        (b"<html>", "unreadable"),
        (b"[]", "unreadable"),
        (b'{"code":"\\ud800"}', "unreadable"),
        (b"[" * 200_000, "unreadable"),
        (b'{"code":7}', "7"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_an_error_code_is_taken_from_the_answer_if_it_has_one(tmp_path: Path, body: bytes, code: str) -> None:
    class Refusing(Minimal):
        async def request(self, method: str, path: str, json: Any = None) -> Answer:
            return Answer(418, body) if method == "POST" else await super().request(method, path, json)

    done = rehearse(tmp_path, scenario(), factory=Refusing)
    assert actions(done, 0) == [("add_connection", 418, code)]
    assert done.broken == ()


@pytest.mark.parametrize("power", ["kept", "lost", "torn"])
def test_a_killed_system_is_gone_for_as_long_as_it_is_down_and_comes_back_with_its_connections(
    tmp_path: Path, power: str
) -> None:
    timeline = [{"at": "3m", "do": "kill_system", "with": {"down_for": "40s", "power": power}}]
    done = rehearse(tmp_path, scenario(timeline=timeline))
    lives = [(record.kind, record.time_ns) for record in done.log.records if record.kind in ("started", "stopped")]
    (began, _), (ended, killed), (began_again, second), *_ = lives
    assert (began, ended, began_again) == ("started", "stopped", "started")
    assert killed == 3 * MINUTE
    assert 40 * SECOND <= second - killed < 41 * SECOND
    arrivals = [request.arrival_ns for request in done.log.requests("nas-1")]
    assert not [at for at in arrivals if killed < at < second]
    assert [at for at in arrivals if second < at < second + 2 * MINUTE]
    assert (done.of("sut/crash"), done.broken, done.outcome) == ([], (), Outcome.PASSED)
    assert actions(done) == [("kill_system", 200, None)]


def test_a_system_that_cannot_be_killed_is_not_and_the_record_says_so(tmp_path: Path) -> None:
    class Immortal(ReferenceSystem):
        capabilities = ReferenceSystem.capabilities - {Capability.KILL}

    done = rehearse(tmp_path, scenario(timeline=[{"at": "3m", "do": "kill_system"}]), factory=Immortal)
    assert actions(done) == [("kill_system", None, "SystemFailure")]
    assert [record.kind for record in done.of("sut/stopped")] == ["stopped"]
