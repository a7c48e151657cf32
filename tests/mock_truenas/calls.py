"""Calls of methods as every face makes them, without a face: found, allowed, prepared, performed."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_truenas.api.methods import performing
from mock_truenas.api.methods.method import Call, Principal
from mock_truenas.api.resources.moment import Moment
from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.releases import RELEASES
from tests.mock_truenas.wire import SetClock

ROOT = Principal("root")
READER = Principal("reader", roles=frozenset({"READONLY_ADMIN"}))
EVERY = tuple(RELEASES)
SECOND_NS = 1_000_000_000


@dataclass
class Machine:
    """A NAS of a release that is called directly; its clock stands still until it is set."""

    appliance: Appliance
    clock: SetClock = field(default_factory=SetClock)
    api_version: str | None = None

    @property
    def dialect(self) -> Dialect:
        release = self.appliance.release
        return release.dialect if self.api_version is None else release.dialect_of(self.api_version)

    def call(self, name: str, *arguments: Any, who: Principal | None = ROOT) -> Any:
        """The result of a call. Raises what the method raises."""
        self.appliance.evolve()
        method = performing.find(name, self.dialect)
        performing.allowed(method, who, self.dialect)
        checked, query = performing.prepared(method, list(arguments), self.dialect)
        moment = Moment.of(self.appliance, self.appliance.now_ns())
        call = Call(method, self.appliance, self.dialect, moment, arguments=checked, query=query, principal=who)
        return asyncio.run(performing.perform(call))

    def job(self, name: str, *arguments: Any) -> Any:
        """A job method, and all the time it takes: the job when it is over."""
        job = self.call(name, *arguments)
        self.pass_s(job.takes_ns / SECOND_NS)
        return self.appliance.jobs.get(job.id)

    def row(self, name: str, key: Any) -> Mapping[str, Any]:
        """One row of ``<name>.query``."""
        (row,) = self.call(f"{name}.query", [["id", "=", key]])
        assert isinstance(row, Mapping)
        return row

    def serves(self, name: str) -> bool:
        return self.dialect.serves(name)

    def pass_s(self, seconds: float) -> None:
        self.clock.at_ns += round(seconds * SECOND_NS)
        self.appliance.evolve()


def machine(release: str, fixture: str = "homelab", seed: int = 1) -> Machine:
    clock = SetClock()
    appliance = build_appliance(
        fixture=fixture,
        release=release,
        clock=clock,
        entropy=random.Random(f"{seed}:entropy").randbytes,
        rng=random.Random(f"{seed}:appliance"),
    )
    return Machine(appliance, clock)
