"""How warm a disk gets by the hour of the day and by its work. Pure."""

from mock_truenas.appliance.model import Disk, State


def warmth(disk: Disk, now_ns: int, state: State) -> int:
    """°C that the hour and the disk's work add to its usual temperature."""
    # A triangle from 0 at 03:00 to 2 at 15:00 and back, in whole degrees.
    phase = (now_ns // 1_000_000_000 - 3 * 3600) % 86400 / 86400
    pool = state.pools.get(disk.pool or "")
    works = pool is not None and pool.scan is not None and pool.scan.runs_at(now_ns)
    return round(4 * min(phase, 1 - phase)) + (3 if works else 0)
