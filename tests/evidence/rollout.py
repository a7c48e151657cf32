"""A small certified rollout for tests: one packet, one scenario in two variants, and a command."""

from datetime import date
from pathlib import Path
from typing import Any

from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence import SealedVerdict, VerdictBundle
from pulse_sim.outcome import worst
from pulse_sim.scenario.plan import parse_plan
from pulse_sim.verdict import CommandRun, EvidenceResult
from tests.evidence.recording import sealed_run

TODAY = date(2026, 2, 9)
PLAN = """\
version: 1
id: trr-04
title: Soak and failure injection
leaves_out:
  - {packet: TRR-03, why: "The phases are not rehearsed yet."}
failure_classes:
  - {id: auth-revoked, title: Auth failure mid-session, evidence: [auth-revoked]}
packets:
  - id: TRR-04
    title: Failure injection
    evidence:
      - {id: auth-revoked, scenario: ../resilience/auth-revoked.yaml}
      - {id: tests, command: [pytest, tests/stack]}
    gates:
      - {id: survives, title: The poller survives, priority: P0, evidence: [auth-revoked]}
      - {id: tested, title: The tests pass, priority: P0, evidence: [tests]}
"""
SUITE_OUTPUT = b"....                                                    [100%]\n4 passed in 0.52s\n"
SUITE_RUN = CommandRun(("pytest", "tests/stack"), 0, False, 1.25, sha256_hex(SUITE_OUTPUT), len(SUITE_OUTPUT))
OPEN_GATE = """\
      - {id: rpc, title: Over JSON-RPC, priority: P1, open: "Not spoken yet.", owner: engineering, risk: R-1,
         severity: sev-3, target: 2026-06-01, rollback: "Offer it before 25.04 only"}
"""


def sealed_verdict(
    directory: Path, *, plan_yaml: str = PLAN, second: dict[str, Any] | None = None, **more: Any
) -> SealedVerdict:
    """A verdict bundle below ``directory``; ``second`` changes the story of the second run."""
    with VerdictBundle(directory, "trr-04", 7) as bundle:
        runs = (
            sealed_run(bundle.runs_path, scenario="auth-revoked[tls=false]").summary,
            sealed_run(bundle.runs_path, scenario="auth-revoked[tls=true]", **(second or {})).summary,
        )
        results = {
            "auth-revoked": EvidenceResult("auth-revoked", "scenario", worst(run.outcome for run in runs), "", runs),
        }
        arguments = {
            "results": results,
            "commands": {"tests": (SUITE_RUN, SUITE_OUTPUT)},
            "decided_on": TODAY,
            "environment": None,
            **more,
        }
        return bundle.complete(parse_plan("plan.yaml", plan_yaml.encode()), plan_yaml=plan_yaml, **arguments)
