"""Gathers the inventory of a verdict: what is tested, against which releases, by which scenarios, with which tools.

Only what is the same wherever the same evidence is made: paths, times and patch levels are for ``environment.json``.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pulse_sim
from pulse_sim.canonical import Json, sha256_hex
from pulse_sim.cli.commands import execute
from pulse_sim.cli.job import CHECKOUT, RunJob
from pulse_sim.evidence.hostile import BundleDamaged, read_json
from pulse_sim.evidence.names import INVENTORY
from pulse_sim.scenario.load import scenario_digest
from pulse_sim.scenario.plan import CommandEvidence, Plan
from pulse_sim.verdict.inventory import VERSION, changes

_LIBRARIES: Final = ("aiohttp", "cryptography", "prometheus-client", "pydantic", "ruamel.yaml")
_NUMBER: Final = re.compile(rb"version (\S+)")
_TIMEOUT_S: Final = 20.0


def inventory_of(
    plan: Plan, plan_yaml: str, sut: str, jobs: Iterable[RunJob], rows: Iterable[Mapping[str, Any]]
) -> dict[str, Json]:
    """The content of ``inventory.json``. What a run that left no bundle would have been is not in it."""
    made = [(job, row) for job, row in zip(jobs, rows, strict=True) if row["bundle"] is not None]
    releases = {one.release for job, _ in made for one in job.scenario.appliances.values()}
    versions = sorted({name for _, row in made for name in row.get("system_versions", ())})
    capabilities = [frozenset(row["capabilities"]) for _, row in made if row.get("capabilities") is not None]
    return {
        "version": VERSION,
        "plan": {"id": plan.id, "digest": sha256_hex(plan_yaml.encode())},
        "system": {
            "name": sut,
            "version": ", ".join(versions),
            "capabilities": sorted(frozenset.intersection(*capabilities)) if capabilities else [],
        },
        "appliances": {"version": pulse_sim.__version__, "releases": sorted(releases)},
        "scenarios": [
            {"scenario": job.scenario.id, "seed": job.seed, "digest": scenario_digest(job.scenario)} for job, _ in made
        ],
        "tools": dict(_tools(plan)),
    }


def changed_since(latest: Path, plan: Plan, inventory: dict[str, Json]) -> dict[str, Json] | None:
    """What is different from the verdict ``latest`` leads to, when that is one of the same plan; else None."""
    if not latest.is_dir():
        return None
    bundle = latest.resolve()
    try:
        before = read_json(bundle, INVENTORY)
    except BundleDamaged:
        return None
    if not isinstance(before, dict) or not isinstance(before.get("plan"), dict) or before["plan"].get("id") != plan.id:
        return None
    told: list[Json] = [{"what": what, "then": then, "now": now} for what, then, now in changes(before, inventory)]
    return {"bundle": bundle.name, "changes": told}


def _tools(plan: Plan) -> Iterable[tuple[str, str]]:
    yield "pulse-sim", pulse_sim.__version__
    yield "python", f"{sys.version_info.major}.{sys.version_info.minor}"
    programs = {
        item.command[0] for packet in plan.packets for item in packet.evidence if isinstance(item, CommandEvidence)
    }
    for name in (*_LIBRARIES, *(("pytest",) if "pytest" in programs else ())):
        yield name, _installed(name)
    if "promtool" in programs:
        yield "promtool", _promtool()


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _promtool() -> str:
    done = execute(["promtool", "--version"], runs=CHECKOUT, cwd=CHECKOUT, timeout_s=_TIMEOUT_S)
    found = _NUMBER.search(done.output)
    return "" if found is None else found[1].decode("ascii", "replace")
