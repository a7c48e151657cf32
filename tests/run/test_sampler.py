"""A sample is the difference from the look before, and a failed look changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pulse_sim.observation import Source
from pulse_sim.observation.shapes import require_shape
from pulse_sim.run.sampler import Sampler, series_of
from pulse_sim.sut.protocol import Answer

PAGE = (
    "# HELP polls Polls.\n# TYPE polls counter\n"
    'polls_total{instance="nas-1",result="success"} 3.0\n'
    'polls_total{instance="nas 2",result="error"} 1e+06\n'
)


class ScriptedSystem:
    """Answers scrapes from a list; an exception in the list is raised."""

    def __init__(self, answers: Sequence[Answer | Exception]) -> None:
        self._answers = list(answers)

    async def scrape(self) -> Answer:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def look_through(answers: Sequence[Answer | Exception]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def observe(source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        assert (source, kind, subject) == (Source.SAMPLER, "metrics", "pulse")
        seen.append(data)
        return len(seen)

    async def look() -> None:
        sampler = Sampler("pulse", ScriptedSystem(answers), observe)  # type: ignore[arg-type]
        for _ in range(len(answers)):
            await sampler.metrics()

    asyncio.run(look())
    return seen


def test_series_keep_the_spelling_of_the_page() -> None:
    assert series_of(PAGE) == {
        'polls_total{instance="nas-1",result="success"}': "3.0",
        'polls_total{instance="nas 2",result="error"}': "1e+06",
    }


def test_a_line_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample"):
        series_of("polls_total\n")


def test_the_second_look_records_only_what_changed() -> None:
    first, second = look_through([Answer(200, b"a 1\nb 2\n"), Answer(200, b"a 1\nb 3\n")])
    assert first == {"status": 200, "error": None, "changed": {"a": "1", "b": "2"}, "gone": []}
    assert second == {"status": 200, "error": None, "changed": {"b": "3"}, "gone": []}


def test_a_failed_look_is_recorded_and_forgets_nothing() -> None:
    _, refused, failed, after = look_through(
        [Answer(200, b"a 1\n"), ConnectionRefusedError(), Answer(503, b""), Answer(200, b"a 1\n")]
    )
    assert refused == {"status": None, "error": "ConnectionRefusedError", "changed": {}, "gone": []}
    assert failed == {"status": 503, "error": None, "changed": {}, "gone": []}
    assert after == {"status": 200, "error": None, "changed": {}, "gone": []}


class AlertingSystem:
    """Answers every page with what stands for its path, and 404 for the rest."""

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.pages = dict(pages)

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        found = self.pages.get(path.partition("?")[0])
        return Answer(404, b"") if found is None else Answer(200, found)


def looks_at_state(*pages: Mapping[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    seen: dict[str, list[dict[str, Any]]] = {}

    def observe(source: Source, kind: str, subject: str, data: dict[str, Any]) -> int:
        require_shape(source.value, kind, data)
        seen.setdefault(kind, []).append(data)
        return len(seen)

    async def look() -> None:
        system = AlertingSystem({})
        sampler = Sampler("pulse", system, observe)  # type: ignore[arg-type]
        for shown in pages:
            system.pages = dict(shown)
            await sampler.state()

    asyncio.run(look())
    return seen


def test_active_alerts_are_recorded_by_id_and_only_what_changed() -> None:
    one = b'{"id":"a","rule":"stale","severity":"warning","instance":"nas-1","message":"old"}'
    first, second, third = looks_at_state(
        {"/api/alerts/active": b"[" + one + b"]"},
        {"/api/alerts/active": b"[" + one + b',{"id":"b","rule":"auth"}]'},
        {"/api/alerts/active": b"[]"},
    )["alerts"]
    kept = {"rule": "stale", "state": None, "severity": "warning", "instance": "nas-1"}
    assert first["changed"] == {"a": {**kept, "sourceId": None, "raisedAt": None}}
    assert (list(second["changed"]), second["gone"]) == (["b"], [])
    assert (third["changed"], third["gone"]) == ({}, ["a", "b"])


def test_a_system_without_a_page_of_alerts_is_a_look_that_saw_nothing() -> None:
    (look,) = looks_at_state({})["alerts"]
    assert look == {"status": 404, "error": None, "changed": {}, "gone": []}
