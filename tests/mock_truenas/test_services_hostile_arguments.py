"""Whatever stands in the arguments of a call, the appliance answers in its own words; nothing breaks inside."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mock_truenas.api.errors import MethodBroke, MethodError
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.calls import EVERY, READER, ROOT, Machine, machine

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

SOUND = "tank /mnt/tank tank/documents jellyfin eno1 nfs cifs syncthing anna sound-1 HOUR cpu disk sda 10.0.0.1".split()  # noqa: SIM905
TEXTS = st.sampled_from(SOUND) | st.text(max_size=12) | st.sampled_from(["*", "", "\x00", "\ud800", "a" * 5000])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 0.0, -0.0, float("nan"), float("inf"), 1e308])
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _objects(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values near a schema: mostly the right keys with mostly the right types."""
    if "$ref" in schema:
        return _objects(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([_objects(part, root) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        needed = set(schema.get("required", ()))
        parts = {name: _objects(part, root) for name, part in schema["properties"].items()}
        required = {name: part for name, part in parts.items() if name in needed}
        optional = {name: part for name, part in parts.items() if name not in needed}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "array":
        return st.lists(_objects(schema.get("items", {}), root), max_size=3)
    simple = {
        "integer": st.integers(1, 3) | st.integers(),
        "string": st.sampled_from(SOUND) | TEXTS,
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return simple.get(str(kind), VALUES)


@cache
def _near(name: str, release: str) -> st.SearchStrategy[list[Any]]:
    """Positional arguments near what a method takes in a release; now and then anything instead of one of them."""
    method = METHODS[name]
    if method.filterable:
        return st.lists(VALUES, max_size=3)
    strategies = []
    for param in method.params(RELEASES[release].dialect):
        schema = TypeAdapter(param.type).json_schema()
        near = _objects(schema, schema)
        strategies.append(st.one_of(near, near, near, near, near, VALUES))
    return st.tuples(*strategies).map(list)


def _calls(release: str) -> st.SearchStrategy[tuple[str, list[Any]]]:
    here = [name for name in OURS if RELEASES[release].dialect.serves(name)]
    named = st.sampled_from(here)
    near = named.flatmap(lambda name: st.tuples(st.just(name), _near(name, release)))
    return st.one_of(near, near, near, st.tuples(named, st.lists(VALUES, max_size=3)))


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
    _survives(machine(release, "baseline"), name, data.draw(_near(name, release)))


def test_every_room_has_methods() -> None:
    assert [room for room in ROOMS if not any(name.startswith(f"{room}.") for name in OURS)] == []
