"""Switches for what a real appliance does by itself and a test may want otherwise. Faults are something else."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final


@dataclass(frozen=True)
class Behaviour:
    """How this mock behaves where reality depends on its surroundings (truenas-api 1, 2.2, 5.3, 5.4).

    ``login_rate_limit``: more than 20 calls a minute without login wait and fail. ``revoke_plaintext_keys``: a key used
    over plain WebSocket dies, as on a real box for any client that is not on loopback. ``failed_login_delay``: a
    refused login takes 1 to 2 s. ``idle_cut``: the front cuts what is idle for its read timeout. ``gzip``: JSON is
    compressed for clients that accept it. ``revocation_ends_sessions``: stricter than any release, where open sessions
    outlive their key.
    """

    login_rate_limit: bool = True
    revoke_plaintext_keys: bool = False
    failed_login_delay: bool = True
    idle_cut: bool = True
    gzip: bool = False
    revocation_ends_sessions: bool = False


AS_DELIVERED: Final = Behaviour()
SWITCHES: Final = tuple(field.name for field in fields(Behaviour))


def switched(usual: Behaviour, switches: Mapping[str, bool]) -> Behaviour:
    """``usual`` with some switches set. Raises ValueError for a switch there is not."""
    unknown = [name for name in switches if name not in SWITCHES]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such switch; available: {', '.join(SWITCHES)}")
    return replace(usual, **switches)
