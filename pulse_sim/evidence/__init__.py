"""Bundles: what a run or a verdict leaves on disk, whole or not at all, and judging it again."""

from pulse_sim.evidence.attestation import read_attestation
from pulse_sim.evidence.environment import describe_environment, mask_arguments
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.judgement import JudgedRun, judge_directory
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import bundle_name
from pulse_sim.evidence.partial import point_latest
from pulse_sim.evidence.recheck import Difference, NotABundle, Recheck, recheck
from pulse_sim.evidence.run_bundle import RunBundle, SealedRun, read_run_summary
from pulse_sim.evidence.scan import SecretInEvidence
from pulse_sim.evidence.verdict_bundle import SealedVerdict, VerdictBundle

__all__ = [
    "BundleDamaged",
    "Difference",
    "JudgedRun",
    "Manifest",
    "NotABundle",
    "Recheck",
    "RunBundle",
    "SealedRun",
    "SealedVerdict",
    "SecretInEvidence",
    "VerdictBundle",
    "bundle_name",
    "describe_environment",
    "judge_directory",
    "mask_arguments",
    "point_latest",
    "read_attestation",
    "read_run_summary",
    "recheck",
]
