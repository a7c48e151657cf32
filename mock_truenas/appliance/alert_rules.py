"""What raises an alert: a table of rules over the state (truenas-api 3.5). Knows nothing of who is told.

Classes, levels, texts and arguments are the appliance's; when exactly it looks is simplified to: at once, and every ten
minutes for what time alone brings about.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import AlertLevel, Pool, State

if TYPE_CHECKING:
    from mock_truenas.appliance.nas import Appliance

WARNING_CODES: Final = frozenset({"RESILVERING", "VERSION_OLDER", "FEAT_DISABLED", "NON_NATIVE_ASHIFT"})
"""Status codes with which a pool is healthy all the same (truenas-api 4)."""


@dataclass(frozen=True)
class View:
    """What a rule looks at."""

    state: State
    now_ns: int
    dialect: Dialect
    appliance: "Appliance"


@dataclass(frozen=True)
class Finding:
    """One reason for an alert. ``about`` tells it from others of its class; ``key`` None: the arguments are it."""

    about: str
    args: Any = None
    key: Any = None


def _whole(args: Any) -> str:
    return "" if args is None else str(args)


def _named(name: str) -> Callable[[Any], str]:
    return lambda args: str(args.get(name)) if isinstance(args, Mapping) else ""


@dataclass(frozen=True)
class Rule:
    """``find`` is asked again when a part of the state it ``reads`` changed; a ``timed`` one whenever time has passed.

    ``feature``: of ``differences.toml``, without which the class does not exist; ``about`` reads from arguments what an
    alert is about.
    """

    name: str
    klass: str
    level: AlertLevel
    text: str
    reads: tuple[str, ...]
    find: Callable[[View], Iterable[Finding]]
    about: Callable[[Any], str] = _whole
    source: str = ""
    feature: str | None = None
    timed: bool = False

    def holds_in(self, dialect: Dialect) -> bool:
        """Whether a version has the class."""
        return self.feature is None or dialect.has(self.feature)


def _sick(pool: Pool) -> bool:
    return pool.status != "ONLINE" or (pool.status_code != "OK" and pool.status_code not in WARNING_CODES)


def _volume_status(view: View) -> Iterable[Finding]:
    for pool in view.state.pools.values():
        if _sick(pool):
            args = {
                "volume": pool.name,
                "state": pool.status,
                "status": pool.status_detail or "",
                "devices": _devices(pool, view.state),
            }
            yield Finding(pool.name, args, key={"volume": pool.name, "state": pool.status})


def _devices(pool: Pool, state: State) -> str:
    """The sick devices as the fragment of HTML that follows the status."""
    vdevs = [vdev for group in vars(pool.topology).values() for vdev in group]
    sick = [leaf for vdev in vdevs for leaf in vdev.leaves() if leaf.status not in ("ONLINE", "AVAIL", "INUSE")]
    if not sick:
        return ""
    lines = []
    for leaf in sick:
        disk = state.disks.get(leaf.disk or "")
        called = f"{disk.model} {disk.serial}" if disk is not None else leaf.guid
        lines.append(f"<li>Disk {called} is {leaf.status}</li>")
    return f"<br>The following devices are not healthy:<ul>{''.join(lines)}</ul>"


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "volume_status",
        "VolumeStatus",
        "CRITICAL",
        "Pool %(volume)s state is %(state)s: %(status)s%(devices)s",
        ("pools",),
        _volume_status,
        _named("volume"),
        "VolumeStatus",
    ),
)
