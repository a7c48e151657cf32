"""Builds an appliance from a ready-made or a given plan."""

import random
from collections.abc import Callable
from difflib import get_close_matches

from mock_truenas.appliance.fixtures import FIXTURES
from mock_truenas.appliance.layout import construct
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.plans import Fixture
from mock_truenas.clock import Clock


def build_appliance(
    *,
    fixture: str | Fixture = "baseline",
    release: str = "24.10",
    hostname: str | None = None,
    clock: Clock,
    entropy: Callable[[int], bytes],
    rng: random.Random,
    key_prefix: str = "",
) -> Appliance:
    """An appliance that boots with the fixture's state, its clock already running.

    ``rng`` gives identity (serials, guids) and load; ``entropy`` only secrets, each opened by ``key_prefix``. Two
    appliances built with equal streams have equal serials. Raises ValueError for an unknown fixture or release.
    """
    plan = fixture if isinstance(fixture, Fixture) else _plan_of(fixture)
    return construct(
        plan, release=release, hostname=hostname, clock=clock, entropy=entropy, rng=rng, key_prefix=key_prefix
    )


def _plan_of(fixture: str) -> Fixture:
    plan = FIXTURES.get(fixture)
    if plan is None:
        near = get_close_matches(fixture, FIXTURES, 1)
        hint = f" did you mean {near[0]}?" if near else ""
        raise ValueError(f"unknown fixture {fixture!r};{hint} available: {', '.join(FIXTURES)}")
    return plan
