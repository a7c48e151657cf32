"""The appliance's own fault kinds as data; importing this loads no network code."""

from mock_truenas.faults.catalogue import CATALOGUE, Entry, Recipe
from mock_truenas.faults.kind import CertificateOrder, Effect, FaultKind, Stage, Witness
from mock_truenas.faults.table import FAULT_KINDS

__all__ = [
    "CATALOGUE",
    "FAULT_KINDS",
    "CertificateOrder",
    "Effect",
    "Entry",
    "FaultKind",
    "Recipe",
    "Stage",
    "Witness",
]
