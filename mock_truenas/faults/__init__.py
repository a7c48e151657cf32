"""The appliance's own fault kinds as data; importing this loads no network code."""

from mock_truenas.faults.kind import CertificateOrder, Effect, FaultKind, Stage, Witness
from mock_truenas.faults.table import FAULT_KINDS

__all__ = ["FAULT_KINDS", "CertificateOrder", "Effect", "FaultKind", "Stage", "Witness"]
