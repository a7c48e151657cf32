"""What an appliance really was, as the log tells it. Knows which parts a truth has, and not what any field means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulse_sim.observation.record import Record


@dataclass(frozen=True, slots=True)
class Truth:
    """An appliance as it was from ``time_ns`` until its next truth; each record of one is whole.

    ``pools``, ``datasets`` and ``disks`` are by name, ``alerts`` by uuid, dismissed ones among them; sizes are bytes.
    """

    time_ns: int
    seq: int
    system: Mapping[str, Any]
    pools: Mapping[str, Mapping[str, Any]]
    datasets: Mapping[str, Mapping[str, Any]]
    disks: Mapping[str, Mapping[str, Any]]
    alerts: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, record: Record) -> "Truth":
        """The truth of an ``appliance/truth`` record. Raises ValueError when two of its alerts have one uuid."""
        data = record.data
        alerts = {alert["uuid"]: alert for alert in data["alerts"]}
        if len(alerts) != len(data["alerts"]):
            raise ValueError("two alerts of a truth have one uuid")
        parts = (data["system"], data["pools"], data["datasets"], data["disks"])
        return cls(record.time_ns, record.seq, *parts, alerts)
