"""What bundles and their files are called. Knows nothing of what is in them."""

import re
from typing import Final

MANIFEST: Final = "manifest.json"
ATTESTATION: Final = "attestation.json"
ENVIRONMENT: Final = "environment.json"
RESOURCES: Final = "resources.jsonl"
SCENARIO: Final = "scenario.yaml"
CHECKPOINTS: Final = "checkpoints.jsonl"
CHECKS: Final = "checks.json"
METRICS: Final = "metrics.om"
PLAN: Final = "plan.yaml"
PACKETS: Final = "packets.json"
VERDICT: Final = "verdict.json"
ATTEST: Final = "attest.json"
REPORT_MARKDOWN: Final = "report.md"
REPORT_HTML: Final = "report.html"
JUNIT: Final = "junit.xml"
TIMELINE: Final = "timeline.svg"
TIMELINE_DATA: Final = "timeline.json"
COVERAGE: Final = "coverage.json"
CATALOGUE: Final = "catalogue.json"
GATE: Final = "gate.json"
INVENTORY: Final = "inventory.json"
RUNS: Final = "runs"
REPEATS: Final = "repeats"
LATEST: Final = "latest"
PARTIAL: Final = ".partial-"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_=.,+-]+")
_MAX_ID_LENGTH: Final = 120


def bundle_name(identity: str, seed: int, digest: str) -> str:
    """``<id made filename-safe>-<seed>-<first 8 of digest>``; the id is a scenario's or a plan's."""
    return f"{safe_name(identity)}-{seed}-{digest[:8]}"


def safe_name(text: str) -> str:
    """``text`` as a name no shell, path or hidden-file rule takes offence at; never empty."""
    return _UNSAFE.sub("-", text).strip("-.")[:_MAX_ID_LENGTH] or "unnamed"
