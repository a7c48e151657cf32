"""One NAS: its state, its accounts, and how both change and move with the clock. Knows no API and no network."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_truenas.appliance import draws, repairs, rows, tables
from mock_truenas.appliance.accounts import (
    ADMINISTRATOR,
    EVERYTHING,
    FULL_ADMIN,
    KEYS_PER_USER,
    Accounts,
    Allowed,
    Allowlist,
    User,
)
from mock_truenas.appliance.alert_findings import View
from mock_truenas.appliance.alerting import Alerting
from mock_truenas.appliance.boot import Boot
from mock_truenas.appliance.changes import Change, Listener, between
from mock_truenas.appliance.evolution import Evolution
from mock_truenas.appliance.jobs import Jobs
from mock_truenas.appliance.load import LoadAverage
from mock_truenas.appliance.model import Alert, Dataset, Disk, Pool, Row, Scan, State, VdevStatus
from mock_truenas.appliance.releases import Release, find_release
from mock_truenas.appliance.timekeeping import Timekeeper
from mock_truenas.appliance.truth import truth_of
from mock_truenas.appliance.warmth import warmth
from mock_truenas.clock import Clock

Overlay = Callable[[State], State]


@dataclass(frozen=True)
class Progress:
    """How far a scan is: ``done`` is None once it has finished."""

    scan: Scan
    fraction: float
    left_s: int
    finished: bool


class Appliance(Timekeeper):
    """A NAS. ``revision`` grows with every change of what it shows, so that faces may keep what they rendered.

    ``state`` is what is visible: what really is, below the overlays of faults. It is brought to now by ``evolve``,
    which is cheap while nothing is due; values depend on the instant, never on how often anybody asked.
    """

    def __init__(self, state: State, release: Release, accounts: Accounts, clock: Clock, rng: random.Random) -> None:
        super().__init__(clock, rng.getrandbits(64))
        self.accounts = accounts
        self.revision = 0
        self._first = (state, release)
        self._listeners: dict[int, Listener] = {}
        self._listened = 0
        self._begin(state, release)

    def _begin(self, state: State, release: Release) -> None:
        self.state = state
        self.release = release
        self.jobs = Jobs(self)
        self._base = state
        self._overlays: dict[str, Overlay] = {}
        self._load = LoadAverage(self.stream("load"), state.host.typical_load, self._clock.now_ns())
        self._alerting = Alerting(self.seed)
        self._evolution = Evolution(self, self.jobs)
        self._boot = Boot(self)
        self._evolution.begin(self.now_ns())
        self._become(state, self.now_ns())

    def reset(self) -> None:
        """Be as when it was made: state, release, jobs, all that moves. Keys and users stay, and are valid again."""
        before = self.state
        self.accounts.pardon()
        self.forget_time()
        self._begin(*self._first)
        for change in between(before, self.state):
            self._announce(change)

    # -- time ------------------------------------------------------------------------------------------------------

    def wall_ns(self) -> int:
        """What its wall clock shows: its time, and however much that clock is off."""
        return self.now_ns() + self.state.host.clock_offset_ns

    def uptime_ns(self, now_ns: int) -> int:
        """Time since boot; never negative, even when the clock was set back before it."""
        return max(0, now_ns - self.state.host.booted_at_ns)

    def load_average(self, now_ns: int) -> tuple[float, float, float]:
        """Load over 1, 5 and 15 minutes."""
        return self._load.at(now_ns)

    def temperature(self, disk: Disk, now_ns: int, state: State | None = None) -> int | None:
        """°C of a disk now: its usual one, up to two degrees more in the afternoon (UTC), three more during a scan."""
        if disk.temperature is None:
            return None
        return disk.temperature + warmth(disk, now_ns, state or self.state)

    def progress(self, scan: Scan, now_ns: int) -> Progress:
        """How far a scan is at an instant."""
        passed = scan.passed_ns(now_ns)
        fraction = passed / scan.takes_ns if scan.takes_ns else 1.0
        left_s = (scan.takes_ns - passed) // 1_000_000_000
        return Progress(scan, fraction, left_s, finished=not scan.runs_at(now_ns))

    @property
    def is_up(self) -> bool:
        """Whether it has booted; until then nothing runs by the clock and nothing fills."""
        return not self._boot.runs

    # -- changes ---------------------------------------------------------------------------------------------------

    @property
    def base(self) -> State:
        """What really is, below the overlays. Evolution goes on here."""
        return self._base

    def seen(self, kind: str, key: Any) -> Any:
        """What one of the ``pools``, ``datasets`` or ``snapshots`` really is; None when it cannot be seen now."""
        return getattr(self._base, kind).get(key) if key in getattr(self.state, kind) else None

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on every change of what is visible, and of jobs; the callable returned ends that."""
        self._listened += 1
        number = self._listened
        self._listeners[number] = listener

        def end() -> None:
            self._listeners.pop(number, None)

        return end

    def tell(self, change: Change) -> None:
        """Tell everybody who watches of a change that is not one of the state."""
        self.revision += 1
        self._announce(change)

    def _announce(self, change: Change) -> None:
        for listener in list(self._listeners.values()):
            listener(change)

    def overlay(self, fault_id: str, changes: Overlay) -> None:
        """Show the state through ``changes`` until ``lift``; later overlays lie on top of earlier ones."""
        self.evolve()
        self._overlays[fault_id] = changes
        self._become(self._base, self.now_ns())

    def lift(self, fault_id: str) -> None:
        """Take an overlay away; what it hid shows again, evolved. Does nothing without one of that name."""
        self.evolve()
        if self._overlays.pop(fault_id, None) is not None:
            self._become(self._base, self.now_ns())

    def change(self, **parts: Any) -> None:
        """Replace parts of the state (``host``, ``pools``, ``disks``, …)."""
        self.evolve()
        self._become(replace(self._base, **parts), self.now_ns())

    def look_again(self) -> None:
        """Judge anew which alerts hold, as time alone may have changed that."""
        self._become(self._base, self.now_ns(), only_if_alerts=True)

    def _become(self, base: State, now_ns: int, *, only_if_alerts: bool = False) -> None:
        visible = self.state if only_if_alerts else self._overlaid(base)
        view = View(visible, now_ns, self.release.dialect, lambda disk: self.temperature(disk, now_ns, visible))
        alerts = self._alerting.judge(view, base.alerts, resting=bool(self._overlays) or self._boot.runs)
        if alerts is not base.alerts:
            base = replace(base, alerts=alerts)
            visible = self._overlaid(base)
        elif only_if_alerts:
            return
        before, self.state = self.state, visible
        really, self._base = self._base, base
        self.revision += 1
        if really is not base:
            self._evolution.follow(really, base)
        if self._listeners:
            for change in between(before, visible):
                self._announce(change)

    def _overlaid(self, base: State) -> State:
        visible = base
        for changes in self._overlays.values():
            visible = changes(visible)
        return self._boot.seen(visible)

    def change_pool(self, name: str, **fields: Any) -> Pool:
        """Replace fields of a pool. Raises KeyError for an unknown name."""
        self.evolve()
        pool = replace(self._base.pools[name], **fields)
        self.change(pools={**self._base.pools, name: pool})
        return pool

    def change_dataset(self, name: str, **fields: Any) -> Dataset:
        """Replace fields of a dataset. Raises KeyError for an unknown name."""
        self.evolve()
        dataset = replace(self._base.datasets[name], **fields)
        self.change(datasets={**self._base.datasets, name: dataset})
        return dataset

    def change_disk(self, name: str, **fields: Any) -> Disk:
        """Replace fields of a disk. Raises KeyError for an unknown name."""
        self.evolve()
        disk = replace(self._base.disks[name], **fields)
        self.change(disks={**self._base.disks, name: disk})
        return disk

    def change_host(self, **fields: Any) -> None:
        """Replace fields of the host."""
        self.evolve()
        self.change(host=replace(self._base.host, **fields))

    def insert_row(self, table: str, row: Row, key: Any = None) -> Row:
        """Add a row to a peripheral table, by its ``id``, the key, or the next number. Raises ValueError if taken."""
        self.evolve()
        changed, made = tables.inserted(self._base.tables, table, row, key)
        self.change(tables=changed)
        return made

    def change_row(self, table: str, key: Any, **fields: Any) -> Row:
        """Replace fields of a row. Raises KeyError for an unknown one."""
        self.evolve()
        changed, made = tables.changed(self._base.tables, table, key, fields)
        self.change(tables=changed)
        return made

    def delete_row(self, table: str, key: Any) -> None:
        """Remove a row. Raises KeyError for an unknown one."""
        self.evolve()
        self.change(tables=tables.deleted(self._base.tables, table, key))

    # -- pools and disks -------------------------------------------------------------------------------------------

    def start_scrub(self, pool: str, takes_ns: int) -> None:
        """Start a scrub now that will have finished after ``takes_ns``. Raises KeyError for an unknown pool."""
        self.evolve()
        self.change_pool(pool, scan=Scan("SCRUB", self.now_ns(), takes_ns, self._base.pools[pool].allocated))

    def fail_disk(self, name: str, status: VdevStatus = "UNAVAIL") -> None:
        """Let a pool's disk fail; health follows, and a hot spare steps in. Raises KeyError for a disk of no pool."""
        self.evolve()
        self.change(**repairs.failed(self._base, name, status, self.now_ns(), self.seed))

    def replace_disk(self, old: str, new: str, takes_ns: int) -> None:
        """Put a free disk in the place of one of a pool, or of the leaf of a guid; the pool is whole once the resilver
        has ended. Raises KeyError, ValueError.
        """
        self.evolve()
        self.change(**repairs.replaced(self._base, old, new, self.now_ns(), takes_ns, self.seed))

    # -- tasks -----------------------------------------------------------------------------------------------------

    def take_snapshots(self, task: int) -> None:
        """Run a periodic snapshot task now. Raises KeyError for an unknown one."""
        self.evolve()
        self._evolution.tasks.take_snapshots(task)

    def latest_snapshot(self, replication: int) -> str | None:
        """The newest snapshot of a replication's sources. Raises KeyError for an unknown one."""
        return self._evolution.tasks.latest(replication)

    # -- alerts ----------------------------------------------------------------------------------------------------

    def raise_alert(self, alert: Alert) -> None:
        """Add an alert, or replace the one with its uuid."""
        self.evolve()
        self.change(alerts={**self._base.alerts, alert.uuid: alert})

    def clear_alert(self, uuid: str) -> None:
        """Take an alert away until its cause has ended and come back; an unknown uuid changes nothing."""
        self.evolve()
        if uuid in self._base.alerts:
            self.change(alerts={key: alert for key, alert in self._base.alerts.items() if key != uuid})

    def dismiss_alert(self, uuid: str, *, dismissed: bool) -> None:
        """Dismiss or restore an alert; an unknown uuid changes nothing, as on the appliance."""
        self.evolve()
        alert = self._base.alerts.get(uuid)
        if alert is not None:
            self.raise_alert(replace(alert, dismissed=dismissed))

    # -- power and releases ----------------------------------------------------------------------------------------

    def reboot(self, takes_ns: int = 120_000_000_000, down_ns: int = 0) -> None:
        """Boot anew: BOOTING for ``takes_ns`` after ``down_ns`` without answering; pools come before it is READY."""
        self.evolve()
        self._boot.reboot(self.now_ns(), takes_ns, down_ns)

    def shutdown(self) -> None:
        """Shut down: SHUTTING_DOWN, and no answers until ``reboot``."""
        self.evolve()
        self._boot.shut_down()

    def finish_boot(self) -> None:
        """Be READY at once."""
        self.evolve()
        self._boot.finish(self.now_ns())

    def lose_jobs(self) -> None:
        """Forget all jobs and whatever ran in them, as going down does."""
        self.jobs.lose()
        self._evolution.tasks.forget_running()

    def upgrade(self, release: str) -> None:
        """Become another release. Raises ValueError for an unknown one.

        From 25.04 on, keys whose allowlist does not hold everything are revoked (truenas-api 5.3, F23).
        """
        self.evolve()
        found = find_release(release)
        had_lists = self.release.dialect.has("key_allowlists")
        self.release = found
        if had_lists and not found.dialect.has("key_allowlists"):
            for key in list(self.accounts.keys.values()):
                if key.allowlist != EVERYTHING:
                    self.accounts.revoke(key.name, "upgrade", "The key is of an earlier release and was limited.")
        self._alerting.forget_findings()
        self.change(revoked=self._revoked(), update=replace(self._base.update, available=None, applied=None))

    # -- accounts --------------------------------------------------------------------------------------------------

    def mint_api_key(
        self,
        name: str,
        prefix: str | None = None,
        allowlist: Allowlist = EVERYTHING,
        *,
        username: str = ADMINISTRATOR,
    ) -> str:
        """A new API key ``<id>-<64 alnum>``; ``prefix`` (default: the appliance's, else PSIMSECRET) opens the 64."""
        self._room_for_a_key(username)
        return self.accounts.mint_api_key(name, prefix, allowlist, username, self.now_ns())

    def adopt_api_key(self, name: str, text: str, *, username: str = ADMINISTRATOR) -> None:
        """Make a given text a valid key. Raises ValueError, without quoting it, when it cannot be one."""
        self._room_for_a_key(username)
        self.accounts.adopt_api_key(name, text, username=username, now_ns=self.now_ns())

    def _room_for_a_key(self, username: str) -> None:
        if not self.release.dialect.has("key_allowlists") and len(self.accounts.keys_of(username)) >= KEYS_PER_USER:
            raise ValueError(f"{username} has {KEYS_PER_USER} API keys already; delete one first")

    def add_user(self, username: str, roles: Iterable[str] = FULL_ADMIN) -> User:
        """The user of that name, who may log in; made with these roles, and a row of its own, if needed."""
        user = self.accounts.users.setdefault(username, User(username, frozenset(roles)))
        known = self._base.tables.get("user")
        if known is not None and all(row.get("username") != username for row in known.values()):
            number = tables.next_number(known)
            self.insert_row("user", rows.user(number, 3000 + number, username, roles=user.roles))
        return user

    def mint_password(self, username: str) -> str:
        """A new password for a user (made if needed), for Basic authentication."""
        self.add_user(username)
        return self.accounts.mint_password(username)

    def revoke(self, name: str, *, by: str = "", reason: str = "") -> None:
        """Revoke the API keys whose name matches a glob; ``by`` says who, so that only they restore it."""
        self.accounts.revoke(name, by, reason)
        self.change(revoked=self._revoked())

    def restore(self, name: str, *, by: str = "") -> None:
        """Take back a revocation."""
        self.accounts.restore(name, by)
        self.change(revoked=self._revoked())

    def _revoked(self) -> Mapping[str, str]:
        return {key.name: key.revoked_reason or "" for key in self.accounts.keys.values() if key.revoked}

    def check_api_key(self, text: str) -> Allowed:
        """Whether an API key is valid now."""
        return self.accounts.check_api_key(text, self._clock.now_ns())

    def check_password(self, username: str, password: str) -> Allowed:
        """Whether a user name and password are valid now."""
        return self.accounts.check_password(username, password)

    def find_key(self, number: int) -> Any:
        """The API key with an id, None when there is none."""
        return self.accounts.find_key(number)

    def note_rest_use(self, address: str) -> None:
        """Count a REST request from an address, for the daily alert of 25.10.1 and later."""
        self._evolution.note_rest_use(address)

    # -- truth -----------------------------------------------------------------------------------------------------

    def truth(self) -> dict[str, Any]:
        """Ground truth as plain JSON: system, pools, datasets and disks by name, alerts; no secrets."""
        self.evolve()
        return truth_of(self.state, self.release, self.now_ns())

    def new_uuid(self, *purpose: object) -> str:
        """A UUID that follows from the seed and the purpose."""
        return draws.uuid(self.seed, *purpose)
