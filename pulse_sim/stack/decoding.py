"""From the answers of the TrueNAS API to snapshot values, on this package's own reading of truenas-api 3.

Takes parsed JSON, whichever transport brought it. A thing without a readable name makes the answer unusable, because
dropping it silently would look like its removal; any other unreadable field is None and noted.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pulse_sim.stack.errors import AnswerUnusable
from pulse_sim.stack.snapshot import Alert, Dataset, Disk, Pool, Scan, System
from pulse_sim.stack.wire import Fields, clean

_MAX_DEPTH: Final = 60
_MAX_ALERT_TEXT: Final = 500
_MARKUP: Final = re.compile(r"<[^<>]{0,100}>")
_NO_SCAN: Final = Scan(None, None, None, None)


def listed(value: Any, path: str) -> list[Any]:
    """The value as a list. Raises AnswerUnusable."""
    if type(value) is not list:
        raise AnswerUnusable(f"{path} is not a list")
    return value


def decode_system(value: Any, unreadable: list[str]) -> System:
    """`system.info`; the version is its one indispensable field."""
    fields = Fields(value, "system", unreadable)
    loads = fields.items("loadavg")
    load = Fields({"1m": loads[0]}, "system.loadavg", unreadable).number("1m") if loads else None
    return System(
        hostname=fields.text("hostname"),
        version=fields.name("version"),
        model=fields.text("model"),
        serial=fields.text("system_serial"),
        cores=fields.integer("cores"),
        memory=fields.integer("physmem"),
        load=load,
        uptime_s=fields.number("uptime_seconds"),
    )


def decode_pools(value: Any, unreadable: list[str]) -> tuple[Pool, ...]:
    """`pool.query`."""
    return tuple(_pool(item, f"pool[{at}]", unreadable) for at, item in enumerate(listed(value, "pool")))


def _pool(value: Any, path: str, unreadable: list[str]) -> Pool:
    fields = Fields(value, path, unreadable)
    scan = fields.inner("scan")
    topology = fields.inner("topology")
    errors = [0, 0, 0]
    members: dict[str, str] = {}
    for role in ("data", "special", "dedup", "log", "cache", "spare") if topology else ():
        assert topology is not None
        for at, vdev in enumerate(topology.items(role)):
            if type(vdev) is not dict:
                topology.note(f"{role}[{at}]")
                continue
            _add_errors(Fields(vdev, f"{topology.path}.{role}[{at}]", unreadable).inner("stats"), errors)
            members.update(_leaves(vdev, _MAX_DEPTH))
    return Pool(
        name=fields.name("name"),
        status=fields.text("status"),
        healthy=fields.flag("healthy"),
        size=fields.integer("size"),
        allocated=fields.integer("allocated"),
        free=fields.integer("free"),
        scan=_scan(scan) if scan else _NO_SCAN,
        read_errors=errors[0],
        write_errors=errors[1],
        checksum_errors=errors[2],
        members=members,
    )


def _scan(fields: Fields) -> Scan:
    return Scan(fields.text("function"), fields.text("state"), fields.number("percentage"), fields.integer("errors"))


def _add_errors(stats: Fields | None, errors: list[int]) -> None:
    if stats is not None:
        for at, key in enumerate(("read_errors", "write_errors", "checksum_errors")):
            errors[at] += stats.integer(key) or 0


def _leaves(vdev: dict[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    """Disk names below a vdev with their vdev's status; a disk that is gone is named by its `unavail_disk` row."""
    children = vdev.get("children")
    if type(children) is list and children and depth:
        for child in children:
            if type(child) is dict:
                yield from _leaves(child, depth - 1)
        return
    disk = vdev.get("disk")
    gone = vdev.get("unavail_disk")
    if type(disk) is not str and type(gone) is dict:
        disk = gone.get("name")
    status = vdev.get("status")
    if type(disk) is str and disk:
        yield disk, status if type(status) is str else ""


def decode_datasets(value: Any, unreadable: list[str]) -> tuple[Dataset, ...]:
    """`pool.dataset.query`, flat or as a tree: each dataset once, in order of first appearance."""
    found: dict[str, Dataset] = {}
    waiting = [(item, f"dataset[{at}]", _MAX_DEPTH) for at, item in enumerate(listed(value, "dataset"))]
    waiting.reverse()
    while waiting:
        item, path, depth = waiting.pop()
        fields = Fields(item, path, unreadable)
        name = fields.name("name")
        if name not in found:
            found[name] = _dataset(name, fields)
        children = item.get("children")
        if children and depth:
            below = [(child, f"{path}.children[{at}]", depth - 1) for at, child in enumerate(fields.items("children"))]
            waiting.extend(reversed(below))
    return tuple(found.values())


def _dataset(name: str, fields: Fields) -> Dataset:
    mountpoint = fields.value.get("mountpoint")
    if type(mountpoint) is dict:
        mountpoint = mountpoint.get("parsed")
    locked = fields.flag("locked")
    if locked is None:
        locked = fields.flag("encrypted") is True and fields.flag("key_loaded") is False
    return Dataset(
        name=name,
        pool=fields.text("pool") or name.partition("/")[0],
        kind=fields.text("type") or "FILESYSTEM",
        used=_property(fields, "used"),
        available=_property(fields, "available"),
        quota=_property(fields, "quota"),
        mountpoint=clean(mountpoint) if type(mountpoint) is str and mountpoint not in ("", "none") else None,
        locked=locked,
        readonly=_readonly(fields),
    )


def _property(fields: Fields, key: str) -> int | None:
    """A ZFS property in bytes: `parsed` first, `rawvalue` when that is no number (truenas-api 3.3)."""
    value = fields.value.get(key)
    if type(value) is not dict:
        return None if value is None else fields.integer(key)
    parsed = value.get("parsed")
    if type(parsed) is int:
        return parsed
    if parsed is None and value.get("rawvalue") in (None, "none", "-"):
        return None
    inner = Fields(value, f"{fields.path}.{key}", fields.unreadable)
    return inner.integer("parsed" if parsed is not None else "rawvalue")


def _readonly(fields: Fields) -> bool:
    value = fields.value.get("readonly")
    if type(value) is dict:
        inner = Fields(value, f"{fields.path}.readonly", fields.unreadable)
        return bool(inner.flag("parsed" if value.get("parsed") is not None else "rawvalue"))
    return bool(fields.flag("readonly"))


def decode_disks(value: Any, unreadable: list[str]) -> tuple[Disk, ...]:
    """`disk.query`."""
    return tuple(_disk(Fields(item, f"disk[{at}]", unreadable)) for at, item in enumerate(listed(value, "disk")))


def _disk(fields: Fields) -> Disk:
    return Disk(
        name=fields.name("name"),
        serial=fields.text("serial"),
        model=fields.text("model"),
        size=fields.integer("size"),
        kind=fields.text("type"),
        bus=fields.text("bus"),
        temperature=fields.integer("temperature"),
    )


def decode_alerts(value: Any, unreadable: list[str]) -> tuple[Alert, ...]:
    """`alert.list` without the dismissed ones; an alert is never dropped for an unreadable field."""
    found = []
    for at, item in enumerate(listed(value, "alert")):
        fields = Fields(item, f"alert[{at}]", unreadable)
        if fields.flag("dismissed") is not True:
            found.append(_alert(fields, at))
    return tuple(found)


def _alert(fields: Fields, at: int) -> Alert:
    text = fields.text("formatted") or fields.text("text") or ""
    args = fields.value.get("args")
    values = list(args.values()) if type(args) is dict else args if type(args) is list else []
    return Alert(
        id=fields.text("uuid") or fields.text("id") or f"alert-{at}",
        klass=fields.text("klass") or "",
        level=fields.text("level") or "",
        text=" ".join(_MARKUP.sub(" ", text).split())[:_MAX_ALERT_TEXT],
        raised_ns=fields.instant("datetime"),
        subjects=tuple(clean(each) for each in values if type(each) is str)[:20],
    )
