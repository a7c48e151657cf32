"""Whatever is asked of pools, datasets, disks and snapshots, the appliance answers in its own words and goes on."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_truenas.api.errors import MethodBroke, MethodError
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.api.pieces import plain
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.calls import EVERY, Machine, machine
from tests.mock_truenas.hostile_arguments import near

ROOMS = ("system", "boot", "pool", "disk", "alert", "alertclasses", "smart", "zfs")
# Tested with the services.
ELSEWHERE = "pool.snapshottask."
OURS = [name for name in METHODS if name.startswith(ROOMS) and not name.startswith(ELSEWHERE)]
TAKING_NAMES = {
    "pool.dataset.create": [
        {"name": name} for name in ("tank/new", "tank/new/er", "tank/\ud800", "tank/\ue001used\ue001")
    ],
    "zfs.snapshot.create": [{"dataset": "tank", "name": name} for name in ("a", "\ud800", "x" * 300)],
    "pool.snapshot.create": [{"dataset": "tank", "name": name} for name in ("a", "\ud800", "x" * 300)],
}


def calls(release: str) -> st.SearchStrategy[tuple[str, list[Any]]]:
    here = [name for name in OURS if RELEASES[release].dialect.serves(name)]
    sensible = st.sampled_from(here).flatmap(lambda name: st.tuples(st.just(name), near(name, release)))
    named = st.sampled_from([(name, [given]) for name, all_given in TAKING_NAMES.items() for given in all_given])
    return st.one_of(sensible, sensible, sensible, named)


def survives(box: Machine, name: str, arguments: list[Any]) -> None:
    try:
        result = box.call(name, *arguments)
    except MethodBroke as error:
        raise AssertionError(f"{name}{arguments!r} broke: {error.kind} {error.text}") from error
    except MethodError:
        return
    if not isinstance(result, Job):
        json.dumps(plain(result))


@pytest.mark.parametrize("release", EVERY)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_sequence_of_calls_breaks_pools_datasets_or_disks(release: str, data: st.DataObject) -> None:
    box = machine(release, "baseline")
    for name, arguments in data.draw(st.lists(calls(release), min_size=1, max_size=8)):
        survives(box, name, arguments)
    box.pass_s(90_000)
    failed = {job.method: job.exc for job in box.appliance.jobs.all() if job.exc is not None}
    ours = {name: error for name, error in failed.items() if name in OURS}
    assert [error for error in ours.values() if not isinstance(error, MethodError)] == []
    for name in ("pool.query", "pool.dataset.query", "pool.dataset.details", "disk.query", "alert.list"):
        survives(box, name, [])


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_arguments_break_a_method_of_storage(name: str, data: st.DataObject) -> None:
    release = data.draw(st.sampled_from([one for one in EVERY if RELEASES[one].dialect.serves(name)]))
    survives(machine(release, "baseline"), name, data.draw(near(name, release)))
