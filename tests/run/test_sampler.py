"""A sample is the difference from the look before, and a failed look changes nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pulse_sim.observation import Source
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
