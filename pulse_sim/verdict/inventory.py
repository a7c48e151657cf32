"""The resolved inventory as evidence (TRR-00): what was tested with what. Missing, empty or of other runs: not passed.

Knows nothing of how it is gathered nor of where it lies.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.model import EvidenceResult, JsonObject

VERSION: Final = 1
Ran = tuple[str, int, str]
"""A run as the inventory knows it: scenario id, seed, digest of the resolved scenario."""
_KEYS: Final = frozenset({"version", "plan", "system", "appliances", "scenarios", "tools"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def judge_inventory(name: str, inventory: Any, ran: Collection[Ran]) -> EvidenceResult:
    """Evidence ``name``: the content of ``inventory.json``, None when there is none, against the runs of the bundle."""
    problem = next(iter(_problems(inventory, ran)), None)
    if problem is None:
        return EvidenceResult(name, "inventory", Outcome.PASSED)
    return EvidenceResult(name, "inventory", Outcome.INCONCLUSIVE, problem)


def changes(before: Any, now: JsonObject) -> list[tuple[str, str, str]]:
    """What two inventories say differently: (what, then, now), in order; of none or a broken one before, nothing."""
    if not isinstance(before, Mapping) or any(True for _ in _shape(before)):
        return []
    then, since = dict(_flat(before)), dict(_flat(now))
    return [
        (what, then.get(what, "absent"), since.get(what, "absent"))
        for what in sorted({*then, *since})
        if then.get(what) != since.get(what)
    ]


def _problems(inventory: Any, ran: Collection[Ran]) -> Iterable[str]:
    if inventory is None:
        yield "there is no inventory"
        return
    if not isinstance(inventory, Mapping) or set(inventory) != _KEYS:
        yield f"the inventory has not the keys {', '.join(sorted(_KEYS))}"
        return
    yield from _shape(inventory)
    listed = [(row["scenario"], row["seed"], row["digest"]) for row in inventory["scenarios"]]
    if len(set(listed)) < len(listed):
        yield "the inventory lists a run twice"
    for scenario, seed, _ in sorted(set(ran) - set(listed)):
        yield f"the inventory does not list the run of {scenario} with seed {seed} as it was made"
    for scenario, seed, _ in sorted(set(listed) - set(ran)):
        yield f"the inventory lists {scenario} with seed {seed}, which was not run like that"


def _shape(inventory: Mapping[str, Any]) -> Iterable[str]:
    if type(inventory.get("version")) is not int or inventory["version"] != VERSION:
        yield f"the inventory is of version {inventory.get('version')!r}, known here is {VERSION}"
    yield from _texts(inventory, "plan", ("id", "digest"))
    yield from _texts(inventory, "system", ("name", "version"))
    yield from _texts(inventory, "appliances", ("version",))
    appliances = inventory.get("appliances")
    releases = appliances.get("releases") if isinstance(appliances, Mapping) else None
    if not isinstance(releases, list) or not releases or not all(_is_text(item) for item in releases):
        yield "the inventory names no release of an appliance"
    tools = inventory.get("tools")
    if not isinstance(tools, Mapping) or not tools or not all(_is_text(item) for item in tools.values()):
        yield "the inventory names no version of a tool, or not every one"
    scenarios = inventory.get("scenarios")
    if not isinstance(scenarios, list) or not scenarios:
        yield "the inventory lists no scenario"
    elif not all(_is_run(row) for row in scenarios):
        yield "the inventory lists a scenario without its id, seed and digest"


def _texts(inventory: Mapping[str, Any], part: str, names: Iterable[str]) -> Iterable[str]:
    value = inventory.get(part)
    for name in names:
        if not isinstance(value, Mapping) or not _is_text(value.get(name)):
            yield f"the inventory does not say the {name} of the {part}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_run(row: Any) -> bool:
    return (
        isinstance(row, Mapping)
        and set(row) == {"scenario", "seed", "digest"}
        and _is_text(row["scenario"])
        and type(row["seed"]) is int
        and isinstance(row["digest"], str)
        and _SHA256.fullmatch(row["digest"]) is not None
    )


def _flat(inventory: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "plan", str(inventory["plan"]["digest"])
    for name in ("name", "version"):
        yield f"system under test, {name}", str(inventory["system"][name])
    yield "mock, version", str(inventory["appliances"]["version"])
    yield "releases", ", ".join(inventory["appliances"]["releases"])
    for name, version in inventory["tools"].items():
        yield f"tool {name}", str(version)
    for row in inventory["scenarios"]:
        yield f"scenario {row['scenario']}, seed {row['seed']}", str(row["digest"])
