"""Whether a system was told to poll at all: the feature flag and the variant it was started with (pulse-contract A1).

Knows nothing of what it did then. A log that does not tell the environment is one of systems that poll.
"""

from collections.abc import Mapping
from typing import Any, Final

from pulse_sim.observation import RunLog, Source

FLAG: Final = "PULSE_ENABLE_TRUENAS"
TRUE: Final = frozenset({"1", "true", "yes", "on"})
ON_BY_DEFAULT: Final = "truenas-on-by-default"
WITHOUT: Final = "without-truenas"


def is_on(variant: Any, environment: Mapping[str, Any]) -> bool:
    """Whether a system of ``variant`` with ``environment`` polls."""
    if variant == WITHOUT:
        return False
    value = str(environment.get(FLAG, "")).strip().lower()
    return value in TRUE or (variant == ON_BY_DEFAULT and not value)


def is_ever_polling(log: RunLog, system: str) -> bool:
    """Whether ``system`` was ever started with the feature on."""
    declared = log.start.data["systems"].get(system) if log.start else None
    if not isinstance(declared, Mapping) or not isinstance(declared.get("environment"), Mapping):
        return True
    variant, environment = declared.get("variant"), dict(declared["environment"])
    if is_on(variant, environment):
        return True
    for record in log.of(Source.OPERATOR, "action", system):
        if record.data["do"] == "restart_system":
            given = record.data["with"]
            variant = given.get("variant") or variant
            environment |= given.get("environment") or {}
            if is_on(variant, environment):
                return True
    return False
