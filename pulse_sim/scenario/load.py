"""Scenario files in, scenarios out, or every problem of every file at once.

Composes the rest of this package; knows no command line and runs nothing.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from ruamel.yaml import YAML

from pulse_sim.canonical import digest
from pulse_sim.scenario.document import Document, parse_document, read_document
from pulse_sim.scenario.matrix import (
    chosen_values,
    combinations,
    label,
    matrix_findings,
    substitute,
    uses_unknown,
)
from pulse_sim.scenario.model import Scenario
from pulse_sim.scenario.overrides import apply_overrides
from pulse_sim.scenario.problem import DocumentError, Finding, Path, Problem, shown
from pulse_sim.scenario.references import References
from pulse_sim.scenario.resolution import resolved
from pulse_sim.scenario.validation import validate

_ENOUGH_PROBLEMS: Final = 200
_MISSING_HINTS: Final[Mapping[Path, str]] = {
    ("abort",): "; write safety, standard, a list of criteria, or none",
    ("checks",): "; a scenario that checks nothing shows nothing",
}


def load_scenario(path: FilePath | str, *, overrides: Sequence[str] = (), world: str | None = None) -> Scenario:
    """The scenario in a file, resolved, with ``overrides`` (``PATH=VALUE``) applied first.

    With ``world``, fault kinds that world lacks are problems too. Of a file with a matrix, this is the first
    combination under the file's own id; :func:`expand` gives all. Raises DocumentError with all problems of the file.
    """
    return _scenario(read_document(path), overrides, world)


def parse_scenario(file: str, content: bytes, *, overrides: Sequence[str] = (), world: str | None = None) -> Scenario:
    """As :func:`load_scenario`, from bytes; ``file`` is only what problems are reported under."""
    return _scenario(parse_document(file, content), overrides, world)


def load_scenarios(
    paths: Iterable[FilePath | str], *, overrides: Sequence[str] = (), world: str | None = None
) -> tuple[Scenario, ...]:
    """The scenarios of several files, in their order, ids unique over all of them.

    Raises DocumentError with all problems of all files, in the order of the files.
    """
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    first: dict[str, str] = {}
    for path in paths:
        try:
            document = read_document(path)
            scenario = _scenario(document, overrides, world)
        except DocumentError as error:
            problems.extend(error.problems)
            continue
        if scenario.id in first:
            message = f"duplicate scenario id {shown(scenario.id)}, already that of {first[scenario.id]}"
            problems.append(document.locate(Finding(("id",), message)))
        first.setdefault(scenario.id, document.file)
        scenarios.append(scenario)
    if problems:
        raise DocumentError(problems)
    return tuple(scenarios)


def expand(scenario: Scenario) -> tuple[Scenario, ...]:
    """One scenario for each combination of the matrix, ids like ``auth-revoked[tls=true]``; itself without a matrix.

    Raises ValueError for a scenario with a matrix that did not come from a file.
    """
    if not scenario.matrix:
        return (scenario,)
    template = scenario._template
    if template is None:
        raise ValueError("only a scenario that was loaded from a file can be expanded")
    return tuple(_made(template, choice, expanded=True) for choice in combinations(template))


def select(scenarios: Iterable[Scenario], parameters: Mapping[str, Any]) -> tuple[Scenario, ...]:
    """Of expanded scenarios, those whose matrix parameters have the given values."""
    wanted = {name: (type(value), value) for name, value in parameters.items()}
    return tuple(
        scenario
        for scenario in scenarios
        if all(
            name in scenario.parameters and (type(scenario.parameters[name]), scenario.parameters[name]) == value
            for name, value in wanted.items()
        )
    )


def scenario_data(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain data in the order of the format, durations as text, what was left out written out."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_none=True)


def resolved_yaml(scenario: Scenario) -> str:
    """The scenario as a file that loads as the same scenario. Raises ValueError for one with a matrix: expand it."""
    _refuse_matrix(scenario)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1_000_000
    yaml.representer.sort_base_mapping_type_on_output = False
    yaml.representer.ignore_aliases = lambda _: True
    stream = io.StringIO()
    yaml.dump(_without_empty(scenario_data(scenario)), stream)
    return stream.getvalue()


def scenario_digest(scenario: Scenario) -> str:
    """64 hex digits over the resolved scenario. Raises ValueError for one with a matrix: expand it."""
    _refuse_matrix(scenario)
    return digest(scenario_data(scenario))


def _refuse_matrix(scenario: Scenario) -> None:
    if scenario.matrix:
        raise ValueError(f"scenario {scenario.id} has a matrix; expand it first")


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """Without what a file would not say; the time after a rollback means nothing where there is none."""
    empty = {key for key in ("matrix", "parameters", "rollback") if not data[key]}
    empty |= {"settle_after_abort"} if "rollback" in empty else set()
    return {key: value for key, value in data.items() if key not in empty}


def _scenario(document: Document, overrides: Sequence[str], world: str | None) -> Scenario:
    apply_overrides(document, overrides)
    document.report(matrix_findings(document.data))
    hidden = uses_unknown(document.data)
    for choice in combinations(document.data):
        _check(document, choice, hidden, world)
        if len(document.problems) > _ENOUGH_PROBLEMS:
            break  # further combinations of a file this wrong would say little else
    document.refuse_problems()
    return _made(document.data, combinations(document.data)[0], expanded=False)


def _check(document: Document, choice: Mapping[str, int], hidden: set[Path], world: str | None) -> None:
    """Reports the problems of one combination; a value that came from the matrix is reported where it stands there."""
    data, origins = substitute(document.data, choice)
    texts = dict(document.texts)
    texts.update({path: document.texts[origin] for path, origin in origins.items() if origin in document.texts})
    findings = [*_model_findings(data, texts), *References(data, texts, world).findings()]
    for finding in findings:
        if finding.path in hidden:
            continue
        problem = document.locate(finding)
        origin = origins.get(finding.path)
        if origin is not None and not finding.on_key:
            place = document.place(origin)
            problem = Problem(place.file, place.line, place.column, problem.path, finding.message, finding.suggestion)
        document.add(problem)


def _model_findings(data: dict[str, Any], texts: Mapping[Path, str]) -> Iterator[Finding]:
    found = validate(Scenario, data, texts)
    if isinstance(found, Scenario):
        return
    for finding in found:
        hint = _MISSING_HINTS.get(finding.path, "") if finding.message.startswith("missing key") else ""
        yield Finding(finding.path, finding.message + hint, finding.suggestion, finding.on_key)


def _made(template: dict[str, Any], choice: Mapping[str, int], *, expanded: bool) -> Scenario:
    data, _ = substitute(template, choice)
    values = chosen_values(template, choice)
    if expanded and values:
        data.pop("matrix")
        data |= {"id": data["id"] + label(values), "parameters": values}
    scenario = validate(Scenario, resolved(data), {})
    assert isinstance(scenario, Scenario), scenario
    if scenario.matrix:
        scenario._template = template
    return scenario
