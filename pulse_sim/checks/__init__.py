"""Pure functions over an observation log: what a run must show, judged from what it left behind.

Knows nothing of how a run is made. Nothing passes by absence: where the log cannot tell, the outcome is INCONCLUSIVE
(R9).
"""

from pulse_sim.checks.judgement import CheckKind, CheckResult, Judgement
from pulse_sim.checks.parameters import ABORT_SETS
from pulse_sim.checks.table import CHECK_KINDS, ended_as_expected, judge_run, outcome_digest

__all__ = [
    "ABORT_SETS",
    "CHECK_KINDS",
    "CheckKind",
    "CheckResult",
    "Judgement",
    "ended_as_expected",
    "judge_run",
    "outcome_digest",
]
