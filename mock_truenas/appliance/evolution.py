"""What a NAS does by itself: scans end, datasets fill, tasks run. All of it is entered in the appliance's schedule."""

from dataclasses import replace
from typing import Final

from mock_truenas.appliance import filling, health
from mock_truenas.appliance.jobs import Jobs
from mock_truenas.appliance.living import Living
from mock_truenas.appliance.model import Pool, RestUse, Scan, State
from mock_truenas.appliance.tasks import Tasks

STEP_NS: Final = 600_000_000_000
"""Datasets fill, and time alone raises alerts, on this grid."""
_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000


class Evolution:
    """The happenings of one appliance."""

    def __init__(self, appliance: Living, jobs: Jobs) -> None:
        self._appliance = appliance
        self.tasks = Tasks(appliance, jobs)
        self._rest_count = 0
        self._rest_addresses: dict[str, None] = {}

    def begin(self, now_ns: int) -> None:
        """Enter what will happen from now on."""
        for name in self._appliance.base.pools:
            self.follow_scan(name)
        self.tasks.begin(now_ns)
        self._appliance.schedule.at(next_of(now_ns, STEP_NS), "step", self._step)
        self._appliance.schedule.at(next_of(now_ns, _DAY_NS, _HOUR_NS), "rest use", self._look_at_rest)

    def follow_scan(self, pool: str) -> None:
        """See to the end of a pool's scan."""
        known = self._appliance.base.pools.get(pool)
        scan = known.scan if known is not None else None
        now_ns = self._appliance.now_ns()
        name = f"scan {pool}"
        if scan is None or scan.ends_at_ns is None or not scan.runs_at(now_ns):
            self._appliance.schedule.cancel(name)
        else:
            self._appliance.schedule.at(scan.ends_at_ns, name, lambda _: self._end_scan(pool))

    def follow(self, before: State, after: State) -> None:
        """See to the scans and tasks that changed."""
        if before.pools is not after.pools:
            for name in dict.fromkeys((*before.pools, *after.pools)):
                if _scan_of(before, name) is not _scan_of(after, name):
                    self.follow_scan(name)
        if before.tables is not after.tables:
            self.tasks.follow_changes(before.tables, after.tables, self._appliance.now_ns())

    def note_rest_use(self, address: str) -> None:
        """Count one REST request."""
        self._rest_count += 1
        self._rest_addresses[address] = None

    def _end_scan(self, name: str) -> None:
        pool = self._appliance.base.pools.get(name)
        if pool is None or pool.scan is None:
            return
        healed = pool if pool.scan.function == "SCRUB" else _resilvered(pool)
        # A new object all the same: whoever watches is told that the scan is over.
        self._appliance.change(pools={**self._appliance.base.pools, name: replace(healed, scan=replace(pool.scan))})

    def _step(self, at_ns: int) -> None:
        appliance = self._appliance
        appliance.schedule.at(next_of(appliance.from_ns(at_ns), STEP_NS), "step", self._step)
        base = appliance.base
        if appliance.is_up:
            grown = filling.filled(base, filling.growing(base), appliance.seed, at_ns // STEP_NS)
            if grown is not base:
                appliance.change(pools=grown.pools, datasets=grown.datasets)
        appliance.look_again()

    def _look_at_rest(self, at_ns: int) -> None:
        """The daily look at who used REST, at 01:00."""
        appliance = self._appliance
        appliance.schedule.at(next_of(appliance.from_ns(at_ns), _DAY_NS, _HOUR_NS), "rest use", self._look_at_rest)
        use = RestUse(self._rest_count, tuple(self._rest_addresses))
        self._rest_count, self._rest_addresses = 0, {}
        if use != appliance.base.rest_use:
            appliance.change(rest_use=use)


def _resilvered(pool: Pool) -> Pool:
    """A pool after a resilver: what was being replaced is gone, what replaced it carries on."""
    return health.judged(pool, health.settled(pool.topology))


def _scan_of(state: State, pool: str) -> Scan | None:
    known = state.pools.get(pool)
    return known.scan if known is not None else None


def next_of(now_ns: int, step_ns: int, offset_ns: int = 0) -> int:
    """The first instant after ``now_ns`` on a grid through ``offset_ns`` after the epoch."""
    return (now_ns - offset_ns) // step_ns * step_ns + step_ns + offset_ns
