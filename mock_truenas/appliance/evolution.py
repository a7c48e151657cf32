"""What a NAS does by itself: scans end, datasets fill, tasks run. All of it is entered in the appliance's schedule."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mock_truenas.appliance.model import RestUse

if TYPE_CHECKING:
    from mock_truenas.appliance.nas import Appliance

STEP_NS: Final = 600_000_000_000
_DAY_NS: Final = 86_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000


class Evolution:
    """The happenings of one appliance."""

    def __init__(self, appliance: "Appliance") -> None:
        self._appliance = appliance
        self._rest_count = 0
        self._rest_addresses: dict[str, None] = {}

    def begin(self, now_ns: int) -> None:
        """Enter what will happen from now on."""
        for name in self._appliance.base.pools:
            self.follow_scan(name)
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

    def follow_rows(self, table: str) -> None:
        """See to the tasks of a table whose rows changed."""

    def note_rest_use(self, address: str) -> None:
        """Count one REST request."""
        self._rest_count += 1
        self._rest_addresses[address] = None

    def _end_scan(self, pool: str) -> None:
        scan = self._appliance.base.pools[pool].scan
        if scan is not None:
            self._appliance.change_pool(pool, scan=replace(scan))

    def _step(self, at_ns: int) -> None:
        self._appliance.schedule.at(next_of(self._appliance.from_ns(at_ns), STEP_NS), "step", self._step)
        self._appliance.look_again()

    def _look_at_rest(self, at_ns: int) -> None:
        """The daily look at who used REST, at 01:00."""
        self._appliance.schedule.at(
            next_of(self._appliance.from_ns(at_ns), _DAY_NS, _HOUR_NS), "rest use", self._look_at_rest
        )
        use = RestUse(self._rest_count, tuple(self._rest_addresses))
        self._rest_count, self._rest_addresses = 0, {}
        if use != self._appliance.base.rest_use:
            self._appliance.change(rest_use=use)


def next_of(now_ns: int, step_ns: int, offset_ns: int = 0) -> int:
    """The first instant after ``now_ns`` on a grid through ``offset_ns`` after the epoch."""
    return (now_ns - offset_ns) // step_ns * step_ns + step_ns + offset_ns
