"""Arguments against what a method takes, in the words of each version, and who may call."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

import pytest
from pydantic import Field

from mock_truenas.api.errors import (
    CallError,
    InstanceNotFound,
    MethodBroke,
    NoSuchMethod,
    NotAuthenticated,
    NotAuthorized,
    ValidationErrors,
)
from mock_truenas.api.methods.catalogue import METHODS
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param, Principal
from mock_truenas.api.methods.performing import access_of, allowed, find, perform, prepared
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance.dialect import dialect
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.wire import appliance

OLD, NEW = dialect("24.10.2"), dialect("25.10.2")


class Schedule(Given):
    minute: str = "00"


class Scrub(Given):
    pool: int
    threshold: int = 35
    description: Annotated[str, Field(max_length=2000)] = ""
    schedule: Schedule = Field(default_factory=Schedule)


def _nothing(_: Call) -> None:
    return None


SCRUB = Method("pool.scrub.create", "", _nothing, (Param("pool_scrub", Scrub), Param("force", bool, default=False)))


@pytest.mark.parametrize(
    ("arguments", "old", "new"),
    [
        (
            [{"pool": 1, "threshold": "7"}],
            [("pool_scrub.threshold", "Not an integer")],
            [("pool_scrub.threshold", "Input should be a valid integer")],
        ),
        (
            [{"pool": 1, "threshold": 7.0}],
            [("pool_scrub.threshold", "Not an integer")],
            [("pool_scrub.threshold", "Input should be a valid integer")],
        ),
        (
            [{"pool": None}],
            [("pool_scrub.pool", "null not allowed")],
            [("pool_scrub.pool", "Input should be a valid integer")],
        ),
        ([{}], [("pool_scrub.pool", "attribute required")], [("pool_scrub.pool", "Field required")]),
        ([], [("pool_scrub", "attribute required")], [("pool_scrub", "Field required")]),
        (
            [{"pool": 1, "x": 1}],
            [("pool_scrub.x", "Field was not expected")],
            [("pool_scrub.x", "Extra inputs are not permitted")],
        ),
        (
            [5],
            [("pool_scrub", "A dict was expected")],
            [("pool_scrub", "Input should be a valid dictionary or instance of Scrub")],
        ),
        (
            [{"pool": 1, "schedule": {"minute": 1}}, "yes"],
            [("pool_scrub.schedule.minute", "Not a string"), ("force", "Not a boolean")],
            [
                ("pool_scrub.schedule.minute", "Input should be a valid string"),
                ("force", "Input should be a valid boolean"),
            ],
        ),
        (
            [{"pool": 1, "schedule": {"minute": "x" * 1025}}],
            [("pool_scrub.schedule.minute", "The value may not be longer than 1024 characters")],
            [("pool_scrub.schedule.minute", "String should have at most 1024 characters")],
        ),
    ],
)
def test_wrong_arguments_are_told_by_path_in_the_words_of_the_version(
    arguments: list[Any], old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    for version, expected in ((OLD, old), (NEW, new)):
        with pytest.raises(ValidationErrors) as refused:
            prepared(SCRUB, arguments, version)
        assert list(refused.value.problems) == [(path, words, 22) for path, words in expected]


def test_right_arguments_come_by_name_with_defaults() -> None:
    given, query = prepared(SCRUB, [{"pool": 1, "description": "x" * 1500}], NEW)
    assert query is None
    assert given == {"pool_scrub": Scrub(pool=1, description="x" * 1500), "force": False}


def test_more_arguments_than_there_are_is_an_error_of_the_call() -> None:
    for method, most in ((SCRUB, 2), (METHODS["pool.query"], 2), (METHODS["system.info"], 0)):
        with pytest.raises(CallError, match=rf"Too many arguments \(expected {most}, found {most + 1}\)"):
            prepared(method, [[]] * (most + 1), NEW)


def test_alternatives_are_told_once_before_models_were_strict() -> None:
    method = Method("a.b", "", _nothing, (Param("id", int | str),))
    for version, expected in (
        (OLD, [("id", "Not an integer")]),
        (
            NEW,
            [("id.int", "Input should be a valid integer"), ("id.constrained-str", "Input should be a valid string")],
        ),
    ):
        with pytest.raises(ValidationErrors) as refused:
            prepared(method, [[]], version)
        assert [(path, words) for path, words, _ in refused.value.problems] == expected


def test_parameter_exists_only_in_its_versions() -> None:
    method = METHODS["disk.temperatures"]
    assert set(prepared(method, [["sda"]], OLD)[0]) == {"names", "options"}
    assert prepared(method, [["sda"]], NEW)[0] == {"name": ["sda"], "include_thresholds": False}


# -- finding -----------------------------------------------------------------------------------------------------------


def test_method_is_found_in_the_versions_that_have_it() -> None:
    assert find("smart.test.results", OLD).name == "smart.test.results"
    with pytest.raises(NoSuchMethod) as gone:
        find("smart.test.results", NEW)
    with pytest.raises(NoSuchMethod) as unknown:
        find("pool.explode", NEW)
    assert (gone.value.service_known, unknown.value.service_known) == (False, True)


def test_every_method_has_a_release_and_a_doc_line() -> None:
    for name, method in METHODS.items():
        assert any(release.dialect.serves(name) for release in RELEASES.values()), name
        assert method.doc, name
        assert "\n" not in method.doc, name


def test_every_service_with_rows_has_get_instance() -> None:
    queried = {method.service for method in METHODS.values() if method.kind is Kind.QUERY}
    assert {f"{service}.get_instance" for service in queried} <= set(METHODS)


# -- who may -----------------------------------------------------------------------------------------------------------


def _may(access: Access, roles: frozenset[str] | None, *given: str) -> bool:
    method = Method("a.b", "", _nothing, access=access, roles=roles)
    try:
        allowed(method, Principal("x", frozenset(given)), NEW)
    except NotAuthorized:
        return False
    return True


def test_roles_open_what_they_are_for() -> None:
    sharing = frozenset({"SHARING_WRITE"})
    assert _may(Access.WRITE, None, "FULL_ADMIN")
    assert _may(Access.READ, None, "READONLY_ADMIN")
    assert not _may(Access.WRITE, None, "READONLY_ADMIN")
    assert not _may(Access.READ, None, "NOBODY")
    assert not _may(Access.READ, None)
    assert _may(Access.LOGIN, None)
    assert _may(Access.OPEN, None)
    assert _may(Access.WRITE, sharing, "SHARING_ADMIN")
    assert _may(Access.WRITE, sharing, "SHARING_WRITE")
    assert not _may(Access.WRITE, sharing, "READONLY_ADMIN")
    assert not _may(Access.WRITE, None, "SHARING_ADMIN")
    assert _may(Access.READ, None, "SHARING_ADMIN")
    assert _may(Access.READ, frozenset({"SHARING_READ"}), "SHARING_WRITE")


def test_nobody_may_only_what_is_open() -> None:
    allowed(METHODS["system.boot_id"], None, OLD)
    with pytest.raises(NotAuthenticated):
        allowed(METHODS["system.info"], None, OLD)


def test_ping_needs_a_login_before_25_10() -> None:
    versions = ("24.04.2", "24.10.2", "25.04.2", "25.10.0", "26.0.0")
    open_in = [version for version in versions if access_of(METHODS["core.ping"], dialect(version)) is Access.OPEN]
    assert open_in == ["25.10.0", "26.0.0"]


# -- performing --------------------------------------------------------------------------------------------------------


def _call(method: Method, *arguments: Any) -> Call:
    nas = appliance(release="25.10")
    given, query = prepared(method, list(arguments), nas.release.dialect)
    moment = Moment.of(nas, nas.now_ns())
    return Call(method, nas, nas.release.dialect, moment, "rpc", given, query, Principal("root"))


def test_instance_is_the_row_with_that_id_and_a_missing_one_has_errno_2() -> None:
    row = asyncio.run(perform(_call(METHODS["pool.get_instance"], 1)))
    assert row == asyncio.run(perform(_call(METHODS["pool.query"], [["id", "=", 1]], {"get": True})))
    with pytest.raises(InstanceNotFound) as missing:
        asyncio.run(perform(_call(METHODS["pool.get_instance"], 99)))
    assert missing.value.problems == (("", "Pool 99 does not exist", 2),)


def test_slow_method_is_awaited_before_its_query_is_applied() -> None:
    def run(_: Call) -> Awaitable[list[dict[str, Any]]]:
        async def rows() -> list[dict[str, Any]]:
            await asyncio.sleep(0)
            return [{"a": 1}, {"a": 2}]

        return rows()

    method = Method("x.query", "", run, kind=Kind.QUERY, filterable=True)
    assert asyncio.run(perform(_call(method, [["a", ">", 1]]))) == [{"a": 2}]


@pytest.mark.parametrize("slow", [False, True])
def test_exception_nobody_foresaw_is_a_broken_method(slow: bool, caplog: pytest.LogCaptureFixture) -> None:
    def run(_: Call) -> Any:
        nothing: dict[str, Any] = {}

        async def later() -> Any:
            return nothing["x"]

        return later() if slow else nothing["x"]

    with pytest.raises(MethodBroke) as broke:
        asyncio.run(perform(_call(Method("x.y", "", run))))
    assert (broke.value.kind, broke.value.text) == ("KeyError", "'x'")
    assert "method x.y broke: KeyError" in caplog.text


def test_job_method_starts_a_job_with_its_plain_arguments() -> None:
    call = _call(METHODS["pool.scrub.scrub"], "tank")
    job = asyncio.run(perform(call))
    assert (job.method, job.arguments[0], job.username) == ("pool.scrub.scrub", "tank", "root")
    assert call.appliance.jobs.get(job.id).id == job.id
    with pytest.raises(CallError, match="already in progress"):
        asyncio.run(perform(call))
