"""Lines of logs as they are followed: of an app's container, of a file (truenas-api 5.5).

Pure functions of the appliance and an instant: whoever asks, and however often, reads the same log.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.api.rows_curves import seed_of
from mock_truenas.appliance.nas import Appliance

EVERY_S: Final = 5
"""A log gets a line at each multiple of so many seconds of Unix time."""
_SECOND_NS: Final = 1_000_000_000
_APP_WORDS: Final = (
    "INFO  health check passed",
    "INFO  GET / 200 in 12 ms",
    "INFO  GET /api/status 200 in 4 ms",
    "INFO  scheduled task finished",
    "DEBUG connection pool: 1 in use, 9 idle",
    "WARN  slow request: 812 ms",
)
_FILES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "/var/log/messages": ("kernel:", ("eth0: link is up", "usb 1-4: device is new", "audit: rate is back to normal")),
    "/var/log/syslog": ("systemd[1]:", ("Started a timer.", "Finished a daily clean-up.", "Reached a target.")),
    "/var/log/middlewared.log": (
        "[INFO]",
        ("(JobsQueue) a job ended", "(AlertService) all sources looked at", "(PoolService) status read"),
    ),
}


def container_of(appliance: Appliance, app: str, container: str | None) -> str | None:
    """The id of a container of an app, of its first one without an id; None when there is none that runs."""
    row = appliance.state.tables.get("app", {}).get(app, {})
    known = [detail["id"] for detail in (row.get("active_workloads") or {}).get("container_details", ())]
    if container is None:
        return str(known[0]) if known else None
    return container if container in known else None


def is_file(path: str) -> bool:
    """Whether a path is one of the logs there are."""
    return path in _FILES


def ticks(after_ns: int, until_ns: int, at_most: int) -> Iterator[int]:
    """The seconds at which there is a line, after one instant up to another; only the latest of too many."""
    first, last = after_ns // _SECOND_NS // EVERY_S + 1, until_ns // _SECOND_NS // EVERY_S
    return (tick * EVERY_S for tick in range(max(first, last - at_most + 1), last + 1))


def container_line(appliance: Appliance, app: str, container: str, at_s: int) -> dict[str, Any]:
    """Fields of one ``app.container_log_follow`` event."""
    words = _APP_WORDS[seed_of(appliance.seed, "log", app, container, at_s) % len(_APP_WORDS)]
    return {"data": f"{words}\n", "timestamp": _moment(at_s).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")}


def file_line(appliance: Appliance, path: str, at_s: int) -> dict[str, Any]:
    """Fields of one ``filesystem.file_tail_follow`` event. Raises KeyError for another path."""
    who, known = _FILES[path]
    words = known[seed_of(appliance.seed, "log", path, at_s) % len(known)]
    host = appliance.state.host.hostname
    return {"data": f"{_moment(at_s).strftime('%Y-%m-%d %H:%M:%S')} {host} {who} {words}\n"}


def _moment(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
