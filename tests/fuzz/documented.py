"""Requests generated from an OpenAPI document, valid ones and broken ones, and what came of them. Serves nothing."""

import contextlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Err

_TIMEOUT_S: Final = 60


@dataclass
class Tried:
    """How many requests were answered with which status, and what should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    described: bool = False
    """Whether successful answers are held against their schemas as well."""

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.statuses.values())

    def note(self, case: Case[Any], status: int, body: bytes) -> None:
        """A 5xx nobody asked for, or a status that the document does not tell, is a fault."""
        self.statuses[status] += 1
        documented = case.operation.definition.raw["responses"].keys() | {"405"}
        if status >= 500 or str(status) not in documented:
            told = f"{case.method} {case.formatted_path} {case.query!r:.200} {case.body!r:.300}"
            self.faults.append(f"{status} for {told}: {body[:300]!r}")
        elif self.described and (wrong := _undescribed(case, status, body)) is not None:
            self.faults.append(f"{case.method} {case.formatted_path}: {status} is not as described: {wrong:.300}")


def _undescribed(case: Case[Any], status: int, body: bytes) -> str | None:
    """What of a JSON answer is not as its schema says; None where all is, or there is none without references."""
    content = case.operation.definition.raw["responses"].get(str(status), {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None or not 200 <= status < 300 or "$ref" in json.dumps(schema):
        return None
    error = next(Draft202012Validator(schema).iter_errors(json.loads(body)), None)
    return None if error is None else f"{error.json_path}: {error.message}"


def operations(document: Mapping[str, Any], left_alone: tuple[str, ...] = ()) -> list[Any]:
    """Every operation of a document, in its order, but for paths that begin so.

    Raises what schemathesis raises when one is malformed.
    """
    schema = schemathesis.openapi.from_dict(dict(document))
    found: list[Any] = [_sound(result) for result in schema.get_all_operations()]
    return [operation for operation in found if not operation.path.startswith(left_alone)]


def _sound(result: Any) -> Any:
    if isinstance(result, Err):
        raise result.err()
    return result.ok()


def sample(found: list[Any], count: int | None, purpose: str) -> Iterator[Any]:
    """``count`` of them, the same ones for the same purpose; all of them for None."""
    if count is None or count >= len(found):
        yield from found
    else:
        yield from random.Random(f"fuzz:{purpose}").sample(found, count)


def tried(
    chosen: Iterable[Any],
    url: str,
    headers: Mapping[str, str],
    examples: int,
    number: int = 1,
    known: Callable[[str], Mapping[str, Any] | None] = lambda path: None,
    described: bool = False,
) -> Tried:
    """``examples`` valid and as many broken requests for each operation, sent to ``url``.

    ``known`` gives parameters of a path that lead to something; operations there get valid requests for that too.
    """
    outcome = Tried(described=described)
    with requests.Session() as session:
        session.headers.update(headers)

        def send(case: Case[Any]) -> None:
            answer = case.call(base_url=url, session=session, timeout=_TIMEOUT_S)
            outcome.note(case, answer.status_code, answer.content)

        for operation in chosen:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _generate(operation.as_strategy(generation_mode=mode), examples, number, send)
            there = known(operation.path)
            if there is not None:
                _generate(operation.as_strategy(path_parameters=dict(there)), examples, number, send)
    return outcome


def _generate(cases: SearchStrategy[Any], examples: int, number: int, use: Callable[[Case[Any]], None]) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def generated(case: Case[Any]) -> None:
        use(case)

    # Nothing of some operations can be broken: no parameters, no body.
    with contextlib.suppress(Unsatisfiable):
        generated()
