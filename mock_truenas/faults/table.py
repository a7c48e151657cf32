"""The fault kinds of the appliance, as data. How they are carried out stands elsewhere."""

from collections.abc import Mapping
from typing import Final

from mock_truenas.faults.kind import FaultKind
from mock_truenas.faults.kinds import auth, front, http, machine, payload, rpc, state, tls

FAULT_KINDS: Final[Mapping[str, FaultKind]] = {
    kind.name: kind for module in (http, front, rpc, auth, payload, state, machine, tls) for kind in module.KINDS
}
