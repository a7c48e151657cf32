"""Outcomes, gates and packets folded into a verdict; pure."""

from pulse_sim.verdict.attest import Attestation, Statement
from pulse_sim.verdict.fold import fold
from pulse_sim.verdict.model import (
    Condition,
    EvidenceResult,
    FailureClassResult,
    GateResult,
    JudgedCheck,
    PacketResult,
    PacketState,
    PlanVerdict,
    RunSummary,
    Verdict,
)
from pulse_sim.verdict.record import condition_data, packets_data, run_summary, verdict_data

__all__ = [
    "Attestation",
    "Condition",
    "EvidenceResult",
    "FailureClassResult",
    "GateResult",
    "JudgedCheck",
    "PacketResult",
    "PacketState",
    "PlanVerdict",
    "RunSummary",
    "Statement",
    "Verdict",
    "condition_data",
    "fold",
    "packets_data",
    "run_summary",
    "verdict_data",
]
