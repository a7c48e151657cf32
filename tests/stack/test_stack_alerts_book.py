"""Alerts over restarts, with overrides, and the appliances' own beside them (contract A4, A9, A10)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.stack.alerts.book import AlertUnknown
from pulse_sim.stack.alerts.config import Config, ConfigInvalid, read_config
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.resources import Record, ResourceType, Status, canonical_id
from tests.stack.alertbed import AlertBed

SYSTEM = "system:nas-1"
HOST_ID = canonical_id(ResourceType.HOST, f"truenas:{SYSTEM}")


def restarted(bed: AlertBed) -> AlertBed:
    again = AlertBed(disk=bed.disk)
    again.book.load()
    return again


def test_an_alert_survives_a_restart_acknowledged_as_it_was_and_ends_only_on_evidence() -> None:
    bed = AlertBed()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    before = bed.book.acknowledge(bed.book.active()[0].id, "ann")
    again = restarted(bed)
    assert again.book.active() == [before]
    for _ in range(20):
        again.succeeds()
        again.tick()
        assert again.book.active() == [before]  # the five minutes are watched anew
    again.tick()
    assert again.book.active() == []
    assert [alert.state for alert in restarted(again).book.history()] == ["resolved"]


def test_failing_polls_stay_an_alert_over_a_restart_until_a_success() -> None:
    bed = AlertBed()
    for _ in range(4):
        bed.fails(ErrorType.API)
    bed.tick()
    again = restarted(bed)
    again.tick()
    assert [alert.rule for alert in again.book.active()] == ["poll-failing"]
    again.succeeds()
    again.tick()
    assert again.book.active() == []


def test_configuration_survives_a_restart() -> None:
    bed = AlertBed()
    given = {"rules": {"stale": {"threshold": 900}}, "overrides": [{"target": {"type": "host"}, "rules": {}}]}
    told = bed.book.set_config(given)
    assert restarted(bed).book.config() == told
    assert told["rules"]["stale"] == {
        "enabled": True,
        "notify": False,
        "severity": "warning",
        "threshold": 900,
        "intervals": 3,
    }


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"version":2}', b'{"version":1,"config":{},"alerts":[{}]}', b"\xff"]
)
def test_a_damaged_file_is_put_aside_and_the_stack_begins_anew(content: bytes) -> None:
    bed = AlertBed()
    bed.disk.write("/data/alerts.json", content, 0o600)
    again = restarted(bed)
    assert (again.book.active(), again.book.config()) == ([], Config().to_data())
    assert bed.disk.read("/data/alerts.json.damaged") == content


def test_nothing_is_written_while_nothing_changes() -> None:
    bed = AlertBed()
    for _ in range(10):
        bed.succeeds()
        bed.tick()
    assert bed.disk.names("/data") == []


def test_acknowledging_what_is_not_active_is_refused() -> None:
    with pytest.raises(AlertUnknown):
        AlertBed().book.acknowledge("auth-0000000000000000", "ann")


@pytest.mark.parametrize("target", [{"resource": HOST_ID}, {"source": SYSTEM}, {"type": "host"}])
def test_an_override_changes_a_rule_for_its_target_alone(target: dict[str, str]) -> None:
    bed = AlertBed()
    bed.add("nas-2")
    bed.book.set_config({"overrides": [{"target": target, "rules": {"auth": {"enabled": False}}}]})
    for instance in ("nas-1", "nas-2"):
        bed.fails(ErrorType.AUTH, instance=instance)
    bed.tick()
    instances = [alert.subject.instance for alert in bed.book.active()]
    assert instances == ([] if "type" in target else ["nas-2"])


def test_a_resource_id_wins_over_a_source_id_and_that_over_a_type_in_any_order() -> None:
    targets: list[tuple[dict[str, str], int]] = [
        ({"resource": HOST_ID}, 1),
        ({"type": "host"}, 3),
        ({"source": SYSTEM}, 2),
    ]
    for order in (targets, targets[::-1]):
        config = read_config(
            {"overrides": [{"target": target, "rules": {"stale": {"threshold": n}}} for target, n in order]}
        )
        assert config.limits(HOST_ID, SYSTEM, "host")["stale"].threshold == 1
        assert config.limits("other", SYSTEM, "host")["stale"].threshold == 2
        assert config.limits("other", "other", "host")["stale"].threshold == 3
        assert config.limits("other", "other", "storage")["stale"].threshold == 300


def test_a_rule_switched_off_ends_its_alerts() -> None:
    bed = AlertBed()
    bed.fails(ErrorType.AUTH)
    bed.tick()
    bed.book.set_config({"rules": {"auth": {"enabled": False}}})
    bed.tick()
    assert [alert.resolution for alert in bed.book.history()] == ["rule disabled"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], ""),
        ({"x": 1}, "x"),
        ({"rules": []}, "rules"),
        ({"rules": {"nope": {}}}, "rules.nope"),
        ({"rules": {"auth": 1}}, "rules.auth"),
        ({"rules": {"auth": {"intervals": 1}}}, "rules.auth.intervals"),
        ({"rules": {"appliance": {"threshold": 1}}}, "rules.appliance.threshold"),
        ({"rules": {"auth": {"enabled": 1}}}, "rules.auth.enabled"),
        ({"rules": {"auth": {"threshold": True}}}, "rules.auth.threshold"),
        ({"rules": {"auth": {"threshold": -1}}}, "rules.auth.threshold"),
        ({"rules": {"auth": {"threshold": float("nan")}}}, "rules.auth.threshold"),
        ({"rules": {"auth": {"threshold": 10**400}}}, "rules.auth.threshold"),
        ({"rules": {"auth": {"severity": ["critical"]}}}, "rules.auth.severity"),
        ({"overrides": {}}, "overrides"),
        ({"overrides": [{}] * 201}, "overrides"),
        ({"overrides": [1]}, "overrides[0]"),
        ({"overrides": [{"target": {}, "rules": {}}]}, "overrides[0].target"),
        ({"overrides": [{"target": {"type": ""}, "rules": {}}]}, "overrides[0].target.type"),
        ({"overrides": [{"target": {"type": "host"}, "rules": {"x": {}}}]}, "overrides[0].rules.x"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused_by_path_and_changes_nothing(data: Any, path: str) -> None:
    bed = AlertBed()
    before = bed.book.config()
    with pytest.raises(ConfigInvalid) as refused:
        bed.book.set_config(data)
    assert list(refused.value.problems) == [path]
    assert bed.book.config() == before


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["rules", "overrides", "target", "type", "auth", "stale", "enabled", "threshold", "severity"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_data_is_a_configuration_that_comes_back_whole_or_is_refused(data: Any) -> None:
    try:
        config = read_config(data)
    except ConfigInvalid:
        return
    told = config.to_data()
    assert read_config(json.loads(json.dumps(told))).to_data() == told


def _records(*notes: dict[str, Any], on_pool: bool = False) -> list[Record]:
    pool = Record("system:nas-1/pool:tank", "storage-1", ResourceType.STORAGE, "tank", Status.ONLINE, HOST_ID)
    if on_pool:
        pool = Record(
            "system:nas-1/pool:tank", "storage-1", ResourceType.STORAGE, "tank", Status.ONLINE, HOST_ID, alerts=notes
        )
    return [Record(SYSTEM, HOST_ID, ResourceType.HOST, "nas", Status.ONLINE, None, alerts=notes), pool]


def _note(name: str = "a", severity: str = "warning") -> dict[str, Any]:
    return {"id": name, "severity": severity, "class": "Scrub", "message": f"message {name}", "raisedAt": None}


def test_an_appliances_own_alert_stands_on_what_it_names_and_goes_with_it() -> None:
    bed, key = AlertBed(), ("default", "truenas", "nas-1")
    told = []
    for records in (
        _records(_note()),
        _records(_note(), on_pool=True),
        _records(_note(severity="critical")),
        _records(),
    ):
        bed.registry.ingest(key, records, bed.now, bed.now_ns())
        bed.tick()
        told.append([(a.rule, a.severity.value, a.subject.source_id, a.message) for a in bed.book.active()])
    assert told == [
        [("appliance", "warning", SYSTEM, "message a")],
        [("appliance", "warning", "system:nas-1/pool:tank", "message a")],
        [("appliance", "critical", SYSTEM, "message a")],
        [],
    ]


def test_an_appliances_own_alert_stays_over_a_restart_and_can_be_switched_off() -> None:
    bed, key = AlertBed(), ("default", "truenas", "nas-1")
    bed.registry.ingest(key, _records(_note()), bed.now, bed.now_ns())
    bed.tick()
    before = bed.book.active()
    again = restarted(bed)
    again.tick()
    assert again.book.active() == before  # nothing was heard of the appliance yet
    again.registry.ingest(key, _records(_note()), again.now, again.now_ns())
    again.tick()
    assert again.book.active() == before
    again.book.set_config({"overrides": [{"target": {"source": SYSTEM}, "rules": {"appliance": {"enabled": False}}}]})
    again.tick()
    assert again.book.active() == []


@given(st.lists(st.dictionaries(st.sampled_from(["id", "severity", "message", "class"]), _JSON), max_size=5))
def test_whatever_annotations_hold_the_evaluation_goes_on(notes: list[dict[str, Any]]) -> None:
    bed = AlertBed()
    bed.registry.ingest(("default", "truenas", "nas-1"), _records(*notes), bed.now, bed.now_ns())
    bed.fails(ErrorType.AUTH)
    bed.tick()
    assert "auth" in [alert.rule for alert in bed.book.active()]
    assert restarted(bed).book.active() == bed.book.active()
