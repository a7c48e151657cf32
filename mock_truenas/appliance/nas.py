"""One NAS: its state, its accounts, and how both change and move with the clock. Knows no API and no network."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_truenas.appliance.accounts import EVERYTHING, Accounts, Allowed, Allowlist
from mock_truenas.appliance.load import LoadAverage
from mock_truenas.appliance.model import Alert, Dataset, Disk, Pool, Scan, State
from mock_truenas.appliance.releases import Release
from mock_truenas.clock import Clock

_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Progress:
    """How far a scan is: ``done`` is None once it has finished."""

    scan: Scan
    fraction: float
    left_s: int
    finished: bool


class Appliance:
    """A NAS. ``revision`` grows with every change of what it shows, so that faces may keep what they rendered."""

    def __init__(self, state: State, release: Release, accounts: Accounts, clock: Clock, rng: random.Random) -> None:
        self.state = state
        self.release = release
        self.revision = 0
        self._accounts = accounts
        self._clock = clock
        self._load = LoadAverage(rng, state.host.typical_load, clock.now_ns())

    def now_ns(self) -> int:
        """The appliance's wall time, Unix nanoseconds."""
        return self._clock.now_ns()

    @property
    def entropy(self) -> Callable[[int], bytes]:
        """Where its secrets and identifiers come from."""
        return self._accounts.entropy

    def uptime_ns(self, now_ns: int) -> int:
        """Time since boot; never negative, even when the clock was set back before it."""
        return max(0, now_ns - self.state.host.booted_at_ns)

    def load_average(self, now_ns: int) -> tuple[float, float, float]:
        """Load over 1, 5 and 15 minutes."""
        return self._load.at(now_ns)

    def temperature(self, disk: Disk, now_ns: int) -> int | None:
        """°C of a disk now: its usual one, up to two degrees warmer in the afternoon (UTC)."""
        if disk.temperature is None:
            return None
        # A triangle from 0 at 03:00 to 2 at 15:00 and back, in whole degrees.
        phase = (now_ns // 1_000_000_000 - 3 * 3600) % 86400 / 86400
        return disk.temperature + round(4 * min(phase, 1 - phase))

    def progress(self, scan: Scan, now_ns: int) -> Progress:
        """How far a scan is at an instant."""
        passed = min(max(0, now_ns - scan.started_at_ns), scan.takes_ns)
        fraction = passed / scan.takes_ns if scan.takes_ns else 1.0
        left_s = (scan.takes_ns - passed) // 1_000_000_000
        return Progress(scan, fraction, left_s, finished=passed == scan.takes_ns)

    # -- changes ---------------------------------------------------------------------------------------------------

    def change(self, **parts: Any) -> None:
        """Replace parts of the state (``host``, ``pools``, ``disks``, …)."""
        self.state = replace(self.state, **parts)
        self.revision += 1

    def change_pool(self, name: str, **fields: Any) -> Pool:
        """Replace fields of a pool. Raises KeyError for an unknown name."""
        pool = replace(self.state.pools[name], **fields)
        self.change(pools={**self.state.pools, name: pool})
        return pool

    def change_dataset(self, name: str, **fields: Any) -> Dataset:
        """Replace fields of a dataset. Raises KeyError for an unknown name."""
        dataset = replace(self.state.datasets[name], **fields)
        self.change(datasets={**self.state.datasets, name: dataset})
        return dataset

    def change_disk(self, name: str, **fields: Any) -> Disk:
        """Replace fields of a disk. Raises KeyError for an unknown name."""
        disk = replace(self.state.disks[name], **fields)
        self.change(disks={**self.state.disks, name: disk})
        return disk

    def start_scrub(self, pool: str, takes_ns: int) -> None:
        """Start a scrub now that will have finished after ``takes_ns``."""
        scan = Scan("SCRUB", self.now_ns(), takes_ns, self.state.pools[pool].allocated)
        self.change_pool(pool, scan=scan)

    def raise_alert(self, alert: Alert) -> None:
        """Add an alert, or replace the one with its uuid."""
        self.change(alerts={**self.state.alerts, alert.uuid: alert})

    def dismiss_alert(self, uuid: str, *, dismissed: bool) -> None:
        """Dismiss or restore an alert; an unknown uuid changes nothing, as on the appliance."""
        alert = self.state.alerts.get(uuid)
        if alert is not None:
            self.raise_alert(replace(alert, dismissed=dismissed))

    # -- accounts --------------------------------------------------------------------------------------------------

    def mint_api_key(self, name: str, prefix: str | None = None, allowlist: Allowlist = EVERYTHING) -> str:
        """A new API key ``<id>-<64 alnum>``; ``prefix`` (default: the appliance's, else PSIMSECRET) opens the 64."""
        return self._accounts.mint_api_key(name, prefix, allowlist)

    def adopt_api_key(self, name: str, text: str) -> None:
        """Make a given text a valid key. Raises ValueError, without quoting it, when it cannot be one."""
        self._accounts.adopt_api_key(name, text)

    def mint_password(self, username: str) -> str:
        """A new password for a user (made if needed), for Basic authentication."""
        return self._accounts.mint_password(username)

    def revoke(self, name: str, *, by: str = "") -> None:
        """Revoke the API keys whose name matches a glob; ``by`` says who, so that only they restore it."""
        self._accounts.revoke(name, by)

    def restore(self, name: str, *, by: str = "") -> None:
        """Take back a revocation."""
        self._accounts.restore(name, by)

    def check_api_key(self, text: str) -> Allowed:
        """Whether an API key is valid now."""
        return self._accounts.check_api_key(text)

    def check_password(self, username: str, password: str) -> Allowed:
        """Whether a user name and password are valid now."""
        return self._accounts.check_password(username, password)

    # -- truth -----------------------------------------------------------------------------------------------------

    def truth(self) -> dict[str, Any]:
        """Ground truth as plain JSON: system, pools, datasets and disks by name, alerts; no secrets."""
        state = self.state
        return {
            "system": {
                "hostname": state.host.hostname,
                "version": self.release.info_version,
                "serial": state.host.serial,
                "booted_at_ns": state.host.booted_at_ns,
                "state": state.host.state,
            },
            "pools": {name: _pool_truth(pool) for name, pool in state.pools.items()},
            "datasets": {name: _dataset_truth(dataset) for name, dataset in state.datasets.items()},
            "disks": {name: _disk_truth(disk) for name, disk in state.disks.items()},
            "alerts": [_alert_truth(alert) for alert in state.alerts.values()],
        }


def _pool_truth(pool: Pool) -> dict[str, Any]:
    exported = pool.status == "OFFLINE"
    return {
        "id": pool.id,
        "guid": pool.guid,
        "status": pool.status,
        "size": None if exported else pool.size,
        "allocated": None if exported else pool.allocated,
        "free": None if exported else pool.size - pool.allocated,
    }


def _dataset_truth(dataset: Dataset) -> dict[str, Any]:
    return {
        "type": dataset.type,
        "pool": dataset.pool,
        "used": dataset.used,
        "available": dataset.available,
        "readonly": dataset.readonly,
        "encrypted": dataset.encrypted,
        "locked": dataset.locked,
    }


def _disk_truth(disk: Disk) -> dict[str, Any]:
    return {
        "serial": disk.serial,
        "model": disk.model,
        "type": disk.type,
        "size": disk.size,
        "pool": disk.pool,
    }


def _alert_truth(alert: Alert) -> Mapping[str, Any]:
    return {"uuid": alert.uuid, "klass": alert.klass, "level": alert.level, "dismissed": alert.dismissed}
