"""Holds what a broken stack was judged to be against the rows written down for it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

SCENARIOS: Final = Path(__file__).resolve().parents[2] / "scenarios"


def _table(name: str) -> Mapping[str, Mapping[str, Any]]:
    table: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name(name))
    return table


EXPECTED: Final = _table("expected.yaml")
"""By broken stack: ``scenario``, below the catalogue and without its suffix, and ``kills``, the rows."""
TRR_04: Final = _table("trr_04.yaml")
"""By broken stack: ``gate``, and rows by the id of a scenario."""


def scenario_of(name: str) -> Path:
    """The file of the scenario that kills a broken stack."""
    return SCENARIOS / f"{EXPECTED[name]['scenario']}.yaml"


def differences(rows: Iterable[Mapping[str, Any]], results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is not as the rows say: a row that means no result, a result with another outcome. Nothing when all is.

    Results are those of ``checks.json``.
    """
    rows, results = list(rows), list(results)
    found = [f"no check is meant by {row}" for row in rows if not any(_is_meant(result, row) for result in results)]
    for result in results:
        outcomes = {row.get("outcome", "failed") for row in rows if _is_meant(result, row)} or {"passed"}
        if outcomes != {result["outcome"]}:
            told = f"{result['check']} {result['parameters']}: {result['outcome']}"
            found.append(f"{told}, not {' or '.join(sorted(outcomes))}; {result['observed']}")
    return found


def _is_meant(result: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    wanted = {key: value for key, value in row.items() if key not in ("check", "outcome")}
    return bool(result["check"] == row["check"] and wanted.items() <= result["parameters"].items())
