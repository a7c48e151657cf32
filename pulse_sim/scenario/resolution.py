"""A valid scenario written out in full: every entry named, repeats unrolled, implied checks added.

Resolving twice changes nothing. Works on plain data that is known to be right.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pulse_sim.scenario.actions import WITHOUT_CONNECTION
from pulse_sim.scenario.kinds import canonical_action_parameters, canonical_check, canonical_fault_parameters
from pulse_sim.scenario.model import criteria_of
from pulse_sim.scenario.outline import Outline, mapping, nanoseconds
from pulse_sim.units import format_duration


def resolved(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same scenario with nothing left implied. ``data`` has no matrix and has passed validation."""
    outline = Outline(data)
    timeline = [entry for _, given in outline.entries() for entry in _entries(given, outline)]
    checks = [canonical_check(entry) for entry in data["checks"]]
    for implied in implied_checks({**data, "timeline": timeline}):
        if all(entry["check"] != implied["check"] for entry in checks):
            checks.append(canonical_check(implied))
    rollback = {"rollback": [_completed(given, outline) for given in data.get("rollback", ())]}
    return {**data, "timeline": timeline, "checks": checks} | (rollback if rollback["rollback"] else {})


def implied_checks(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The checks every scenario is judged by, whether it names them or not."""
    if any("fault" in entry for _, entry in Outline(data).entries()):
        yield {"check": "faults_took_effect"}
    yield {"check": "never_crashes"}
    yield {"check": "no_secret_leaks"}
    criteria = criteria_of(data["abort"])
    if criteria:
        check: dict[str, Any] = {"check": "abort_criteria", "criteria": list(criteria)}
        expected = data.get("expect_abort")
        yield {**check, "expect_abort": expected} if expected else check


def entry_id(entry: Mapping[str, Any]) -> str | None:
    """The id an entry has or is given: ``http.delay:nas-1@5m``, ``remove_connection:nas-2@12m``; None if unreadable."""
    if entry.get("id") is not None:
        return entry["id"] if isinstance(entry["id"], str) else None
    at = nanoseconds(entry.get("at"))
    if at is None:
        return None
    if "do" in entry:
        what, target = entry["do"], mapping(entry.get("with")).get("id") or entry.get("system") or "pulse"
    else:
        what, target = entry.get("fault"), entry.get("on")
    return f"{what}:{target}@{format_duration(at)}"


def _entries(given: dict[str, Any], outline: Outline) -> Iterator[dict[str, Any]]:
    entry = {**given, "id": entry_id(given)}
    if "do" in entry:
        yield _completed(entry, outline)
        return
    entry["with"] = canonical_fault_parameters(entry["fault"], given.get("with", {}))
    repeat = entry.pop("repeat", None)
    if not repeat:
        yield entry
        return
    at, every = nanoseconds(entry["at"]) or 0, nanoseconds(repeat["every"]) or 0
    for turn in range(repeat["times"]):
        yield {**entry, "at": format_duration(at + turn * every), "id": f"{entry['id']}#{turn + 1}"}


def _completed(given: Mapping[str, Any], outline: Outline) -> dict[str, Any]:
    """An action with its system and its parameters written out."""
    connection = mapping(given.get("with")).get("id")
    known = given["do"] not in WITHOUT_CONNECTION
    system = outline.system_of(connection) if known and isinstance(connection, str) else "pulse"
    parameters = canonical_action_parameters(given["do"], given.get("with", {}))
    return {**given, "system": given.get("system") or system, "with": parameters}
