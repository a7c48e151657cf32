"""Datasets as ``pool.dataset.query`` shows them (truenas-api 3.3): flat, and each one also inside its ancestors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.model import Dataset
from mock_truenas.appliance.nas import Appliance

Property = dict[str, Any]

_COMMON: Final[Mapping[str, str]] = {
    "deduplication": "off",
    "checksum": "on",
    "sync": "standard",
    "compression": "lz4",
    "copies": "1",
    "snapdev": "hidden",
}
_FILESYSTEM: Final[Mapping[str, str]] = {
    "aclmode": "discard",
    "acltype": "posix",
    "xattr": "sa",
    "atime": "off",
    "casesensitivity": "sensitive",
    "exec": "on",
    "snapdir": "hidden",
    "recordsize": "131072",
    "special_small_block_size": "0",
    "quota": "0",
    "refquota": "0",
}
_SIZES: Final = frozenset({"recordsize", "volblocksize", "volsize"})
_LIMITS: Final = frozenset({"quota", "refquota", "reservation", "refreservation"})
_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SWITCHES: Final = frozenset({"atime", "exec", "readonly", "checksum"})
_CREATED_ONCE: Final = frozenset({"casesensitivity", "volblocksize"})


def rows(appliance: Appliance, extra: Mapping[str, Any], named: str | None = None) -> list[dict[str, Any]]:
    """``GET /pool/dataset`` before filters.

    ``named`` is the one dataset a query asks for by its id or name; it is then looked at instead of the pools' roots.
    ``extra``: ``flat`` false gives the roots with all below them; ``retrieve_children`` false gives the roots alone,
    without a ``children`` key; ``properties`` is a list of property names to show, null for all.
    """
    wanted = extra.get("properties")
    names = frozenset(map(str, wanted)) if isinstance(wanted, list) else None
    datasets = appliance.state.datasets
    below = dict.fromkeys(datasets, 0)
    for dataset in datasets.values():
        parent = dataset.name.rpartition("/")[0]
        if parent in below:
            below[parent] += dataset.used
    shown = {name: _row(dataset, below[name], names) for name, dataset in datasets.items()}
    tops = [row for name, row in shown.items() if (name == named if named is not None else "/" not in name)]
    if extra.get("retrieve_children") is False:
        return tops
    for name in reversed(list(shown)):
        # Backwards, so that inserting in front keeps the children in the order shown.
        parent = name.rpartition("/")[0]
        shown[name].setdefault("children", [])
        if parent in shown:
            shown[parent].setdefault("children", []).insert(0, shown[name])
    return tops if extra.get("flat") is False else list(shown.values())


def _row(dataset: Dataset, below: int, names: frozenset[str] | None) -> dict[str, Any]:
    properties = _properties(dataset, below)
    return {
        "id": dataset.name,
        "type": dataset.type,
        "name": dataset.name,
        "pool": dataset.pool,
        "encrypted": dataset.encrypted,
        "encryption_root": dataset.encryption_root,
        "key_loaded": dataset.key_loaded,
        **{name: shown for name, shown in properties.items() if names is None or name in names},
        "mountpoint": dataset.mountpoint,
        "user_properties": {},
        "locked": dataset.locked,
    }


def _properties(dataset: Dataset, below: int) -> dict[str, Property]:
    volume = dataset.type == "VOLUME"
    own = max(0, dataset.used - dataset.snapshots_used - below)
    settings = {**_COMMON, **({} if volume else _FILESYSTEM), **dataset.settings}
    shown = {name: _setting(name, raw, local=name in dataset.settings) for name, raw in settings.items()}
    if volume:
        shown["volsize"] = _number(dataset.volsize or 0, "LOCAL")
        shown["volblocksize"] = _number(16384, "NONE")
        shown["sparse"] = _property(True, "on", "ON", "LOCAL")
    shown |= {
        "readonly": _setting("readonly", "on" if dataset.readonly else "off", local=dataset.readonly),
        "compressratio": _property(dataset.compressratio, dataset.compressratio, f"{dataset.compressratio}x", "NONE"),
        "origin": _property("", "", "", "NONE"),
        "reservation": _setting("reservation", "0"),
        "refreservation": _setting("refreservation", "0"),
        "key_format": _encryption("passphrase" if dataset.encrypted else "none", dataset),
        "encryption_algorithm": _encryption("aes-256-gcm" if dataset.encrypted else "off", dataset),
        "pbkdf2iters": _encryption("350000" if dataset.encrypted else "0", dataset),
        "used": _number(dataset.used, "NONE"),
        "usedbychildren": _number(below, "NONE"),
        "usedbydataset": _number(own, "NONE"),
        "usedbyrefreservation": _number(0, "NONE"),
        "usedbysnapshots": _number(dataset.snapshots_used, "NONE"),
        "available": _number(dataset.available, "NONE"),
        "creation": _creation(dataset.created_at_ns),
    }
    return shown


def _setting(name: str, raw: str, *, local: bool = False) -> Property:
    """A setting from its raw text; enum-like values are shown in capitals, limits of 0 as null."""
    source = "LOCAL" if local else "NONE" if name in _CREATED_ONCE else "DEFAULT"
    if name in _LIMITS:
        amount = int(raw)
        return _property(amount or None, raw, nice(amount) if amount else None, source)
    if name in _SIZES:
        return _number(int(raw), source)
    if name in ("comments", "managedby"):
        return _property(raw, raw, raw, source)
    if raw.isdigit():
        return _property(int(raw) if name == "copies" else raw, raw, raw, source)
    return _property({"on": True, "off": False}.get(raw, raw) if name in _SWITCHES else raw, raw, raw.upper(), source)


def _encryption(raw: str, dataset: Dataset) -> Property:
    unset = raw in ("none", "off")
    source = "NONE" if not dataset.encrypted else "LOCAL" if dataset.encryption_root == dataset.name else "INHERITED"
    shown = _property(raw, raw, None if unset else raw.upper(), source)
    return {**shown, "source_info": dataset.encryption_root if source == "INHERITED" else None}


def _creation(created_at_ns: int) -> Property:
    seconds = created_at_ns // 1_000_000_000
    at = datetime.fromtimestamp(seconds, UTC)
    # Not strftime: its names follow the locale.
    text = f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at.hour:2}:{at.minute:02} {at.year}"
    return _property(date(created_at_ns), str(seconds), text, "NONE")


def _number(amount: int, source: str) -> Property:
    return _property(amount, str(amount), nice(amount), source)


def _property(parsed: object, raw: str, value: str | None, source: str) -> Property:
    return {"parsed": parsed, "rawvalue": raw, "value": value, "source": source, "source_info": None}


def nice(amount: int) -> str:
    """A size as ZFS prints it: three digits and a letter, ``204G``, ``1.32T``, ``0B``."""
    power = 0
    while amount >> (10 * (power + 1)):
        power += 1
    scaled = amount / (1 << (10 * power))
    if power == 0 or scaled == int(scaled):
        return f"{int(scaled)}{'BKMGTPE'[power]}"
    digits = 2 if scaled < 10 else 1 if scaled < 100 else 0
    return f"{scaled:.{digits}f}{'BKMGTPE'[power]}"
