"""What a system must show of an appliance that is thus, and what it did show, as flat fields that can be compared.

The mapping of pulse-contract A4, read once more and by itself: neither the stack's reading of it nor the mock's words
are taken over. Pure; knows no log and no time.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from pulse_sim.observation import Truth

Fields: TypeAlias = Mapping[str, Any]

ONLINE, WARNING, OFFLINE, UNKNOWN = "online", "warning", "offline", "unknown"
_DISK_STATUS: Final = {
    "ONLINE": ONLINE,
    "DEGRADED": WARNING,
    **dict.fromkeys(("FAULTED", "OFFLINE", "REMOVED", "UNAVAIL"), OFFLINE),
}
_POOL_STATUS: Final = {**_DISK_STATUS, "SUSPENDED": OFFLINE}
_SEVERITY: Final = {
    **dict.fromkeys(("CRITICAL", "ALERT", "EMERGENCY", "ERROR"), "critical"),
    "WARNING": "warning",
    **dict.fromkeys(("INFO", "NOTICE"), "info"),
}
WARMER_BY_AT_MOST: Final = 5
"""°C by which a disk is warmer than usual in the afternoon of a day with a scrub; cooler it never is."""
TEMPERATURE: Final = "temperatureCelsius"
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("hostname", "version", "serial"),
    "pool": ("health", "totalBytes", "usedBytes", "freeBytes"),
    "dataset": ("usedBytes", "freeBytes"),
    "disk": ("serial", "sizeBytes"),
}
"""Without which of its fields a thing cannot be called true: a system that tells less says too little to be judged."""


def likeness(truth: Truth) -> dict[str, Fields]:
    """What must be shown of an appliance, by what follows ``system:<connection>`` in the source id."""
    pools = {name: _POOL_STATUS.get(pool["status"], UNKNOWN) for name, pool in truth.pools.items()}
    troubled = bool({WARNING, OFFLINE} & set(pools.values()))
    shown: dict[str, Fields] = {"": _system(truth.system, WARNING if troubled else ONLINE)}
    shown |= {f"/pool:{printable(name)}": _pool(name, pool, pools[name]) for name, pool in truth.pools.items()}
    shown |= {f"/dataset:{printable(name)}": _dataset(name, one, pools) for name, one in truth.datasets.items()}
    shown |= {f"/disk:{printable(name)}": _disk(name, disk) for name, disk in truth.disks.items()}
    return shown


def _system(system: Fields, status: str) -> Fields:
    hostname = printable(system["hostname"])
    told = {name: printable(system[name]) for name in ("version", "serial", "model")}
    return {"type": "host", "name": hostname, "status": status, "hostname": hostname, **told}


def _pool(name: str, pool: Fields, status: str) -> Fields:
    errors = dict(zip(("readErrors", "writeErrors", "checksumErrors"), pool["errors"], strict=True))
    return {
        "type": "storage",
        "kind": "pool",
        "name": printable(name),
        "status": status,
        "parent": "",
        "health": pool["status"],
        "healthy": pool["healthy"],
        "totalBytes": pool["size"],
        "usedBytes": pool["allocated"],
        "freeBytes": pool["free"],
        **errors,
        **{f"scan.{part}": pool["scan"][part] for part in ("function", "state", "errors")},
    }


def _dataset(name: str, dataset: Fields, pools: Mapping[str, str]) -> Fields:
    is_volume = dataset["type"] == "VOLUME"
    is_mounted = is_volume or dataset["mountpoint"] is not None
    status = OFFLINE if dataset["locked"] or not is_mounted else WARNING if dataset["readonly"] else ONLINE
    return {
        "type": "storage",
        "kind": "volume" if is_volume else "dataset",
        "name": printable(name),
        "status": status,
        "parent": f"/pool:{printable(dataset['pool'])}" if dataset["pool"] in pools else "",
        "pool": printable(dataset["pool"]),
        "usedBytes": dataset["used"],
        "freeBytes": dataset["available"],
        "locked": dataset["locked"],
        "readonly": dataset["readonly"],
        "mountpoint": printable(dataset["mountpoint"]),
    }


def _disk(name: str, disk: Fields) -> Fields:
    pool = printable(disk["pool"]) if disk["status"] is not None else None
    return {
        "type": "physical_disk",
        "kind": disk["type"],
        "name": printable(name),
        "status": _DISK_STATUS.get(disk["status"], UNKNOWN),
        "parent": "" if pool is None else f"/pool:{pool}",
        "pool": pool,
        "vdevStatus": disk["status"],
        "serial": printable(disk["serial"]),
        "model": printable(disk["model"]),
        "bus": disk["bus"],
        "sizeBytes": disk["size"],
        TEMPERATURE: disk["temperature"],
    }


def alerts_of(truth: Truth) -> dict[str, tuple[str, str]]:
    """Severity and class, by uuid, of every alert that must be shown: those nobody dismissed."""
    return {
        uuid: (_SEVERITY.get(alert["level"], "warning"), alert["klass"])
        for uuid, alert in truth.alerts.items()
        if not alert["dismissed"]
    }


def when_stale(status: str) -> str:
    """What a status is shown as while nobody confirms it (pulse-contract A8)."""
    return OFFLINE if status == OFFLINE else WARNING


def printable(text: Any) -> Any:
    """Text as a system may show it, with escapes for what a terminal would obey; what is no text as it is."""
    if not isinstance(text, str) or text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shown_fields(resource: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]], system_id: str) -> Fields:
    """The fields of a resource in a sample that it tells at all; parts of facts with their names joined by a dot."""
    fields = {name: resource.get(name) for name in ("type", "name", "status")}
    fields.update(_flat(resource.get("facts") or {}))
    parent = by_id.get(str(resource.get("parentId")))
    if parent is not None and parent.get("sourceId") is not None:
        fields["parent"] = str(parent["sourceId"]).removeprefix(system_id)
    return fields


def _flat(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if name in ("scan", "disk") and isinstance(value, Mapping):
            prefix = "scan." if name == "scan" else ""
            yield from ((prefix + part, inner) for part, inner in value.items())
        else:
            yield name, value


def is_like(field: str, shown: Any, true: Any) -> bool:
    """Whether a field shown is the true one; a number is never a truth value.

    A temperature need not be shown: no release tells it together with its disk.
    """
    if field == TEMPERATURE:
        return shown is None or (type(shown) is int is type(true) and true <= shown <= true + WARMER_BY_AT_MOST)
    return type(shown) is type(true) and bool(shown == true)
