"""pulse-sim: rehearses a rollout of Pulse's TrueNAS integration and folds the evidence into a verdict."""

__version__ = "0.1.0"
