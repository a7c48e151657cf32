"""What is there to be alerted of in a state, class by class (truenas-api 3.5). Pure, and knows no alert raised yet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.health import detail_of
from mock_truenas.appliance.model import Dataset, Disk, Pool, Row, State, Topology

WARNING_CODES: Final = frozenset({"RESILVERING", "VERSION_OLDER", "FEAT_DISABLED", "NON_NATIVE_ASHIFT"})
"""Status codes with which a pool is healthy all the same (truenas-api 4)."""
MOST_SNAPSHOTS: Final = 10_000
MOST_SHARE_SNAPSHOTS: Final = 512
_HOUR_NS: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _HOUR_NS
_MOST_CLOCK_OFFSET_NS: Final = 300_000_000_000
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOTHING: Final[Mapping[Any, Row]] = {}


@dataclass(frozen=True)
class View:
    """What a rule looks at; ``temperature`` is that of a disk now."""

    state: State
    now_ns: int
    dialect: Dialect
    temperature: Callable[[Disk], int | None]


@dataclass(frozen=True)
class Finding:
    """One reason for an alert. ``about`` tells it from others of its class; ``key`` None: the arguments are it.

    ``text`` replaces that of the rule.
    """

    about: str
    args: Any = None
    key: Any = None
    text: str | None = None


Find = Callable[[View], Iterable[Finding]]

# -- pools and datasets ------------------------------------------------------------------------------------------------


def is_sick(pool: Pool) -> bool:
    """Whether a pool is not healthy; with a code that only warns it is, whatever it is doing."""
    if pool.status_code == "OK":
        return pool.status != "ONLINE"
    return pool.status_code not in WARNING_CODES


def sick_pools(view: View) -> Iterable[Finding]:
    """Pools that are not healthy."""
    for pool in view.state.pools.values():
        if is_sick(pool):
            devices = "" if pool.status == "OFFLINE" else _devices(pool.topology, view.state)
            args = {"volume": pool.name, "state": pool.status, "status": detail_of(pool) or "", "devices": devices}
            yield Finding(pool.name, args, key={"volume": pool.name, "state": pool.status, "devices": devices})


def _devices(topology: Topology, state: State) -> str:
    """The sick devices as the fragment of HTML that follows the status."""
    leaves = [leaf for group in vars(topology).values() for vdev in group for leaf in vdev.leaves()]
    lines = []
    for leaf in leaves:
        if leaf.status not in ("ONLINE", "AVAIL", "INUSE"):
            disk = state.disks.get(leaf.disk or "")
            called = f"{disk.model} {disk.serial}" if disk is not None else leaf.guid
            lines.append(f"<li>Disk {called} is {leaf.status}</li>")
    return f"<br>The following devices are not healthy:<ul>{''.join(lines)}</ul>" if lines else ""


def sick_boot_pool(view: View) -> Iterable[Finding]:
    """The pool it boots from."""
    pool = view.state.boot_pool
    if is_sick(pool):
        yield Finding("", {"status": pool.status, "status_detail": detail_of(pool) or ""})


def capacity(least: int, below: int) -> Find:
    """Pools that are full to at least ``least`` per cent, and less than ``below``."""

    def found(view: View) -> Iterable[Finding]:
        for pool in view.state.pools.values():
            if pool.status != "OFFLINE" and pool.size:
                percent = pool.allocated * 100 // pool.size
                if least <= percent < below:
                    yield Finding(pool.name, {"volume": pool.name, "capacity": percent}, key=[pool.name])

    return found


def quotas(*, critical: bool) -> Find:
    """Datasets near their quota: from 80 % on, critical from 95 %, or what the dataset says."""

    def found(view: View) -> Iterable[Finding]:
        for dataset in view.state.datasets.values():
            for name in ("quota", "refquota"):
                limit = int(dataset.settings.get(name) or 0) if name in dataset.settings else 0
                if limit:
                    yield from _near(dataset, name, limit, view.state, critical=critical)

    return found


def _near(dataset: Dataset, name: str, limit: int, state: State, *, critical: bool) -> Iterable[Finding]:
    used = dataset.used if name == "quota" else own_use(dataset, state)
    percent = used * 100 / limit
    thresholds = (_threshold(dataset, f"{name}_warning", 80), _threshold(dataset, f"{name}_critical", 95))
    severe = 0 < thresholds[1] <= percent
    if severe if critical else not severe and 0 < thresholds[0] <= percent:
        args = {
            "name": name.capitalize(),
            "dataset": dataset.name,
            "used_fraction": percent,
            "used": _size(used),
            "quota_value": _size(limit),
        }
        yield Finding(f"{dataset.name}/{name}", args, key=[dataset.name, name])


def own_use(dataset: Dataset, state: State) -> int:
    """Bytes of a dataset itself: without its children and snapshots."""
    start = f"{dataset.name}/"
    below = (
        other.used for name, other in state.datasets.items() if name.startswith(start) and "/" not in name[len(start) :]
    )
    return max(0, dataset.used - dataset.snapshots_used - sum(below))


def _threshold(dataset: Dataset, name: str, usual: int) -> int:
    text = dataset.settings.get(name, "")
    return int(text) if text.isdigit() else usual


def _size(amount: int) -> str:
    power = min(4, max(0, amount.bit_length() - 1) // 10)
    return f"{amount / (1 << 10 * power):.2f} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def paused_scrubs(view: View) -> Iterable[Finding]:
    """Scrubs that somebody paused and forgot."""
    for pool in view.state.pools.values():
        scan = pool.scan
        if scan is not None and scan.paused_at_ns is not None and view.now_ns - scan.paused_at_ns >= 8 * _HOUR_NS:
            yield Finding(pool.name, {"volume": pool.name})


def too_many_snapshots(view: View) -> Iterable[Finding]:
    """More snapshots than are good."""
    count = len(view.state.snapshots)
    if count > MOST_SNAPSHOTS:
        yield Finding("", {"count": count, "max": MOST_SNAPSHOTS}, key=None)


def shares_with_too_many_snapshots(view: View) -> Iterable[Finding]:
    """Datasets under an SMB share with more snapshots than a client shows."""
    shared = [row.get("path") for row in view.state.tables.get("sharing.smb", _NOTHING).values() if row.get("enabled")]
    counts = {path.removeprefix("/mnt/"): 0 for path in shared if isinstance(path, str)}
    if not counts or len(view.state.snapshots) <= MOST_SHARE_SNAPSHOTS:
        return
    for snapshot in view.state.snapshots.values():
        if snapshot.dataset in counts:
            counts[snapshot.dataset] += 1
    for dataset, count in counts.items():
        if count > MOST_SHARE_SNAPSHOTS:
            yield Finding(dataset, {"dataset": dataset, "count": count, "max": MOST_SHARE_SNAPSHOTS})


# -- disks -------------------------------------------------------------------------------------------------------------


def smart_messages(view: View) -> Iterable[Finding]:
    """What smartd writes of disks, up to 25.04."""
    for disk in view.state.disks.values():
        device = f"/dev/{disk.name}"
        if disk.smart_message is not None:
            yield Finding(device, {"device": device, "message": f"Device: {device}, {disk.smart_message}"})
            continue
        degrees = view.temperature(disk)
        if degrees is not None and degrees >= disk.too_hot:
            told = f"Temperature {degrees} Celsius reached critical limit of {disk.too_hot} Celsius"
            yield Finding(device, {"device": device, "message": f"Device: {device}, {told}"}, key=[device, "hot"])


def hot_disks(view: View) -> Iterable[Finding]:
    """Disks as hot as they call critical, from 25.10 on."""
    for disk in view.state.disks.values():
        degrees = view.temperature(disk)
        if degrees is not None and degrees >= disk.too_hot:
            args = {"device": disk.name, "serial": disk.serial, "crit_threshold": disk.too_hot, "temp": degrees}
            yield Finding(disk.name, args, key=[disk.name])


def failing_disks(view: View) -> Iterable[Finding]:
    """Disks whose self-monitoring complains, from 25.10 on."""
    for disk in view.state.disks.values():
        if disk.smart_message is not None:
            yield Finding(
                disk.name, {"device": disk.name, "serial": disk.serial, "message": disk.smart_message}, key=[disk.name]
            )


# -- the rest ----------------------------------------------------------------------------------------------------------


def revoked_keys(view: View) -> Iterable[Finding]:
    """API keys that were revoked; before 25.10 without the reason."""
    for name, reason in view.state.revoked.items():
        args = view.dialect.shaped("ApiKeyRevoked", {"key_name": name, "name": name, "reason": reason})
        yield Finding(name, args, text=view.dialect.value("api_key_revoked_text"))


def rest_use(view: View) -> Iterable[Finding]:
    """That REST was used on the day before the last look."""
    use = view.state.rest_use
    if use.count:
        yield Finding("", {"count": use.count, "ip_addresses": ", ".join(use.addresses)})


def update(view: View) -> Iterable[Finding]:
    """That there is something newer."""
    if view.state.update.available is not None:
        yield Finding("")


def wrong_clock(view: View) -> Iterable[Finding]:
    """A clock that is off by more than five minutes."""
    offset_ns = view.state.host.clock_offset_ns
    if abs(offset_ns) >= _MOST_CLOCK_OFFSET_NS:
        yield Finding("", {"reason": f"the clock is off by {offset_ns / 1e9:.3f} s"}, key="offset")


def ups_on_battery(view: View) -> Iterable[Finding]:
    """That the power is out."""
    host = view.state.host
    if host.ups is not None and host.ups_on_battery:
        yield Finding(host.ups, {"name": host.ups})


def certificates(least: int | None, below: int) -> Find:
    """Certificates with at least so many days left, but less than that; None is without end."""

    def found(view: View) -> Iterable[Finding]:
        for row in view.state.tables.get("certificate", _NOTHING).values():
            until_ns = certificate_end_ns(str(row.get("until")))
            if until_ns is None:
                continue
            left_ns = until_ns - view.now_ns
            if left_ns < below * _DAY_NS and (least is None or left_ns >= least * _DAY_NS):
                yield Finding(str(row["name"]), {"name": row["name"]})

    return found


@lru_cache(maxsize=64)
def certificate_end_ns(text: str) -> int | None:
    """The instant of ``Mon Feb  9 00:00:00 2026``, whatever the locale; None for something else."""
    try:
        _, month, day, clock, year = text.split()
        hour, minute, second = map(int, clock.split(":"))
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) * 1_000_000_000


def failed_replications(view: View) -> Iterable[Finding]:
    """Replications whose last run failed."""
    for row in view.state.tables.get("replication", _NOTHING).values():
        state = row.get("state")
        if isinstance(state, Mapping) and state.get("state") == "ERROR":
            args = {"name": row.get("name"), "message": state.get("error") or ""}
            yield Finding(str(row.get("name")), args, key=[row.get("id")])
