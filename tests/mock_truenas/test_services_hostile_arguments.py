"""Whatever stands in the arguments of a call, the appliance answers in its own words; nothing breaks inside."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_truenas.api.errors import MethodBroke, MethodError
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.calls import EVERY, READER, ROOT, Machine, machine
from tests.mock_truenas.hostile_arguments import VALUES, near

ROOMS = (
    "app",
    "catalog",
    "docker",
    "chart",
    "kubernetes",
    "certificate",
    "certificateauthority",
    "interface",
    "network",
    "iscsi",
    "reporting",
    "service",
    "sharing",
    "smb",
    "nfs",
    "pool.snapshottask",
    "update",
    "user",
    "group",
    "privilege",
    "api_key",
    "virt",
    "container",
    "vm",
    "replication",
    "cloudsync",
    "rsynctask",
    "cronjob",
    "filesystem",
    "enclosure2",
    "failover",
    "truenas",
    "directoryservices",
    "audit",
    "ssh",
    "snmp",
    "ups",
    "ftp",
    "mail",
    "tn_connect",
)
OURS = [name for name in METHODS if any(name.startswith(f"{room}.") for room in ROOMS)]


def _calls(release: str) -> st.SearchStrategy[tuple[str, list[Any]]]:
    here = [name for name in OURS if RELEASES[release].dialect.serves(name)]
    named = st.sampled_from(here)
    sensible = named.flatmap(lambda name: st.tuples(st.just(name), near(name, release)))
    return st.one_of(sensible, sensible, sensible, st.tuples(named, st.lists(VALUES, max_size=3)))


def _survives(box: Machine, name: str, arguments: list[Any], *, reads_only: bool = False) -> None:
    try:
        result = box.call(name, *arguments, who=READER if reads_only else ROOT)
    except MethodBroke as error:
        raise AssertionError(f"{name}{arguments!r} broke: {error.kind} {error.text}") from error
    except MethodError:
        return
    if not isinstance(result, Job):
        json.dumps(result)


@pytest.mark.parametrize("release", EVERY)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_sequence_of_calls_breaks_anything_inside(release: str, data: st.DataObject) -> None:
    box = machine(release, "baseline")
    for name, arguments in data.draw(st.lists(_calls(release), min_size=1, max_size=8)):
        _survives(box, name, arguments)
    box.pass_s(600)
    assert [job.id for job in box.appliance.jobs.all() if not job.finished] == []
    # Jobs fail with the appliance's words, never with an accident's.
    broken = [
        job.exc for job in box.appliance.jobs.all() if job.exc is not None and not isinstance(job.exc, MethodError)
    ]
    assert broken == []
    for name in ("sharing.smb.query", "user.query", "interface.query", "iscsi.extent.query", "replication.query"):
        _survives(box, name, [])


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_arguments_break_a_method(name: str, data: st.DataObject) -> None:
    here = [release for release in EVERY if RELEASES[release].dialect.serves(name)]
    release = data.draw(st.sampled_from(here))
    _survives(machine(release, "baseline"), name, data.draw(near(name, release)))


def test_every_room_has_methods() -> None:
    assert [room for room in ROOMS if not any(name.startswith(f"{room}.") for name in OURS)] == []
