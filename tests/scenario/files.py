"""Small scenario and plan files for the loader's tests, and the loader's answer as lines of text."""

from pulse_sim.scenario.load import parse_scenario
from pulse_sim.scenario.model import Scenario
from pulse_sim.scenario.plan import Plan, parse_plan
from pulse_sim.scenario.problem import DocumentError

HEAD = """\
version: 1
id: small
title: A small scenario
hypothesis: It is sound.
start: 2026-02-09T00:00:00Z
duration: 1h
appliances:
  nas-1: {release: "24.10", fixture: baseline}
connections:
  nas-1: {appliance: nas-1}
abort: safety
"""
CHECKS = """\
checks:
  - {check: no_leaks}
"""
SMALL = HEAD + CHECKS


def scenario(text: str, *overrides: str) -> Scenario:
    """The scenario written in ``text``."""
    return parse_scenario("s.yaml", text.encode(), overrides=overrides)


def with_timeline(*entries: str) -> str:
    """The small scenario with entries in its timeline, the first on line 13."""
    return HEAD + "timeline:\n" + "".join(f"  - {entry}\n" for entry in entries) + CHECKS


def problems(text: str | bytes, *overrides: str, world: str | None = None) -> list[str]:
    """What the loader says about a scenario, one line for each problem; nothing when it is fine."""
    content = text if isinstance(text, bytes) else text.encode()
    try:
        parse_scenario("s.yaml", content, overrides=overrides, world=world)
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    return []


def plan(text: str) -> Plan:
    """The plan written in ``text``."""
    return parse_plan("p.yaml", text.encode())


def plan_problems(text: str) -> list[str]:
    """What the loader says about a plan."""
    try:
        plan(text)
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    return []
