"""What an appliance was, on record: its shape, when it is recorded, and differences of objects by their fields."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.observation import LogDamaged, Source
from pulse_sim.observation.delta import apply, difference
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder
from tests.run.rehearsal import rehearse, scenario

PARTS: dict[str, Any] = {"pools": {"tank": {}}, "datasets": {"tank": {}}, "disks": {"sda": {}}, "alerts": {"a": {}}}


def recorded(**data: Any) -> LogBuilder:
    """A log with one truth, edited."""
    log = LogBuilder().truth("1m", **PARTS)
    log.records[-1].data.update(data)
    return log


def edited(part: str, name: str, **fields: Any) -> dict[str, Any]:
    whole = LogBuilder().truth("1m", **PARTS).records[-1].data[part]
    return {part: {**whole, name: {**whole[name], **fields}}}


def test_a_truth_is_read_back_with_its_alerts_by_uuid() -> None:
    (truth,) = LogBuilder().truth("1m", **PARTS).log("2m").truths("nas-1")
    assert (truth.time_ns, list(truth.pools), list(truth.disks), list(truth.alerts)) == (
        MINUTE,
        ["tank"],
        ["sda"],
        ["a"],
    )
    assert LogBuilder().truth("1m", **PARTS).log("2m").truths("nas-2") == []


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        ({"pools": []}, "pools of appliance/truth has the wrong shape"),
        ({"system": {"hostname": "nas-1"}}, "system of appliance/truth has the wrong shape"),
        (edited("pools", "tank", size="1000"), "pools of appliance/truth has the wrong shape"),
        (edited("pools", "tank", errors=[0, 0]), "pools of appliance/truth has the wrong shape"),
        (edited("pools", "tank", healthy=1), "pools of appliance/truth has the wrong shape"),
        (edited("pools", "tank", scan=None), "pools of appliance/truth has the wrong shape"),
        (edited("datasets", "tank", locked=None), "datasets of appliance/truth has the wrong shape"),
        (edited("datasets", "tank", used=True), "datasets of appliance/truth has the wrong shape"),
        (edited("disks", "sda", serial=7), "disks of appliance/truth has the wrong shape"),
        ({"alerts": [{"uuid": "a"}]}, "alerts of appliance/truth has the wrong shape"),
    ],
)
def test_a_truth_of_another_shape_is_a_damaged_log(data: dict[str, Any], refusal: str) -> None:
    with pytest.raises(LogDamaged, match=refusal):
        recorded(**data).log("2m")


@pytest.mark.parametrize("part", ["system", "pools", "datasets", "disks", "alerts"])
def test_a_truth_that_lacks_a_part_or_a_field_is_a_damaged_log(part: str) -> None:
    log = recorded()
    del log.records[-1].data[part]
    with pytest.raises(LogDamaged, match=f"appliance/truth lacks {part}"):
        log.log("2m")


def test_two_alerts_of_one_uuid_are_a_damaged_log() -> None:
    log = recorded()
    log.records[-1].data["alerts"] *= 2
    with pytest.raises(LogDamaged, match="record 2: two alerts of a truth have one uuid"):
        log.log("2m")


OBJECTS = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(st.integers(0, 2), st.fixed_dictionaries({"x": st.integers(0, 2), "y": st.lists(st.integers(0, 1))})),
)


@given(OBJECTS, OBJECTS)
def test_a_difference_tells_of_objects_the_changed_fields_and_leads_from_one_to_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    delta = difference(before, after)
    assert apply(before, delta) == after
    for key, news in delta["changed"].items():
        if isinstance(news, dict) and isinstance(before.get(key), dict):
            assert news == {field: value for field, value in after[key].items() if before[key][field] != value}


def test_an_object_that_loses_a_field_has_no_difference() -> None:
    with pytest.raises(ValueError, match="an object loses its y"):
        difference({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}})


def test_a_run_records_what_is_news_before_anybody_can_have_learnt_of_it(tmp_path: Path) -> None:
    timeline = [{"at": "3m", "for": "4m", "fault": "pool.status", "on": "nas-1", "with": {"status": "FAULTED"}}]
    done = rehearse(tmp_path, scenario(timeline=timeline, duration="22m"))
    truths = done.log.truths("nas-1")
    assert [truth.time_ns for truth in truths] == [0, 3 * MINUTE, 7 * MINUTE, 10 * MINUTE, 20 * MINUTE]
    data = [record.data for record in done.log.of(Source.APPLIANCE, "truth", "nas-1")]
    assert all(before != after for before, after in pairwise(data))
    first_ns = [min(r.ended_ns for r in done.log.requests("nas-1") if r.ended_ns > truth.time_ns) for truth in truths]
    asked = [min(r.seq for r in done.log.requests("nas-1") if r.ended_ns == time_ns) for time_ns in first_ns]
    assert all(truth.seq < seq for truth, seq in zip(truths, asked, strict=True))
    assert {pool["status"] for pool in truths[1].pools.values()} == {"FAULTED"}
    assert {pool["status"] for pool in truths[2].pools.values()} == {"ONLINE"}


def test_a_sample_of_resources_keeps_what_the_truth_can_be_held_against(tmp_path: Path) -> None:
    done = rehearse(tmp_path, scenario())
    (truth, *_), (*_, last) = done.log.truths("nas-1"), done.log.resources("pulse")
    name, disk = next(iter(truth.disks.items()))
    shown = last.with_source_id(f"system:nas-1/disk:{name}")
    assert shown is not None
    assert (shown["facts"]["serial"], shown["facts"]["sizeBytes"]) == (disk["serial"], disk["size"])
    system = last.with_source_id("system:nas-1")
    assert system is not None
    assert {"hostname", "version", "serial"} <= system["facts"].keys()
    undismissed = [uuid for uuid, alert in truth.alerts.items() if not alert["dismissed"]]
    assert [alert["id"] for alert in system["alerts"]] == undismissed
    assert all(alert.keys() == {"id", "severity", "class"} for alert in system["alerts"])
    assert not {"uptimeSeconds", "load1", "usedPercent", "percentage"} & system["facts"].keys()
