"""The words a scenario may use for what worlds can build: releases, fixtures, variants, criteria, failure classes.

Data only. A world that learns a new release or fixture adds its name here.
"""

from typing import Final, Literal, TypeAlias

Release: TypeAlias = Literal["24.04", "24.10", "25.04.0", "25.04.1", "25.04", "25.10.0", "25.10", "26.0"]
Fixture: TypeAlias = Literal["baseline", "small-office", "homelab"]
Variant: TypeAlias = Literal["truenas-off-by-default", "truenas-on-by-default", "without-truenas"]
FailureClass: TypeAlias = Literal["api-timeout", "auth-revoked", "stale-recovery", "connection-flap", "config-change"]
Criterion: TypeAlias = Literal["crash", "corruption", "interference", "failure_rate", "auth_errors"]
World: TypeAlias = Literal["simulated", "live"]

SAFETY_CRITERIA: Final[tuple[Criterion, ...]] = ("crash", "corruption", "interference")
STANDARD_CRITERIA: Final[tuple[Criterion, ...]] = (*SAFETY_CRITERIA, "failure_rate", "auth_errors")

WORLD_ENVIRONMENT: Final = frozenset({"PULSE_DATA_DIR", "BIND_ADDRESS", "FRONTEND_PORT", "PULSE_API_TOKEN"})
"""Environment names the world sets itself; the token is a secret and has no place in a file."""

WORLD_HOSTS: Final = frozenset({"operator", "localhost"})
"""Names of hosts that are the world's own; systems and appliances are hosts too."""
