"""What datasets of one kind have in common, as a row and as its text (truenas-api 3.3). Knows no appliance."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from mock_truenas.api.pieces import Stencil, gap
from mock_truenas.api.resources.properties import COMMON, FILESYSTEM, Property, number, prop, setting

NUMBERS: Final = ("used", "usedbychildren", "usedbydataset", "usedbysnapshots", "available", "volsize")
_TEXTS: Final = (
    "name",
    "pool",
    "mountpoint",
    "encryption_root",
    "compressratio",
    "compressratio_value",
    "creation_ms",
    "creation_raw",
    "creation_value",
)
LEAVES: Final = (*_TEXTS, *(name + end for name in NUMBERS for end in ("", "_raw", "_value")))

Origin = tuple[str, str, str | None]
"""Name and raw value of a setting, and the ancestor it is inherited from; None for the dataset's own."""


@dataclass(frozen=True)
class Wanted:
    """What a query wants to be told of each dataset; ``names`` of properties, None for all."""

    names: frozenset[str] | None = None
    children: bool = True
    user_properties: bool = True
    snapshots: bool = False
    snapshot_count: bool = False

    @classmethod
    def of(cls, extra: Mapping[str, Any]) -> "Wanted":
        """From ``query-options.extra``."""
        named = extra.get("properties")
        return cls(
            names=frozenset(map(str, named)) if isinstance(named, list) else None,
            children=extra.get("retrieve_children") is not False,
            user_properties=extra.get("retrieve_user_props") is not False,
            snapshots=extra.get("snapshots") is True,
            snapshot_count=extra.get("snapshots_count") is True,
        )


@dataclass(frozen=True)
class Kind:
    """All that decides about a dataset's text but for the leaves filled in."""

    type: Literal["FILESYSTEM", "VOLUME"]
    encryption: Literal["none", "own", "inherited"]
    key_loaded: bool | None
    readonly: bool
    settings: tuple[Origin, ...]
    user_properties: tuple[Origin, ...]
    wanted: Wanted


def filled(kind: Kind, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """A whole row: what the kind says, and the leaves. Holes are left as the kind has them."""
    shown = dict(constants(kind))
    shown["id"] = shown["name"] = leaves["name"]
    shown["pool"], shown["mountpoint"] = leaves["pool"], leaves["mountpoint"]
    shown["encryption_root"] = leaves["encryption_root"]
    for name in NUMBERS:
        if name in shown:
            source = "LOCAL" if name == "volsize" else "NONE"
            shown[name] = prop(leaves[name], leaves[f"{name}_raw"], leaves[f"{name}_value"], source)
    if "compressratio" in shown:
        shown["compressratio"] = prop(
            leaves["compressratio"], leaves["compressratio"], leaves["compressratio_value"], "NONE"
        )
    if "creation" in shown:
        shown["creation"] = prop(
            {"$date": leaves["creation_ms"]}, leaves["creation_raw"], leaves["creation_value"], "NONE"
        )
    if kind.encryption == "inherited":
        for name in _ENCRYPTION:
            if name in shown:
                shown[name] = {**shown[name], "source_info": leaves["encryption_root"]}
    return shown


@lru_cache(maxsize=512)
def stencil_of(kind: Kind, indent: int | None, level: int) -> Stencil:
    """The text of a kind ``level`` containers deep, with gaps for LEAVES and holes for what a row contains."""
    value = filled(kind, {name: gap(name) for name in LEAVES})
    holes = {name: gap(name) for name in ("children", "snapshots", "snapshot_count") if name in value}
    return Stencil({**value, **holes}, LEAVES, indent, level)


@lru_cache(maxsize=1024)
def constants(kind: Kind) -> dict[str, Any]:
    """The row of a kind in its order; what the leaves and holes will hold is None. Nobody changes it."""
    names = kind.wanted.names
    properties = _properties(kind)
    shown: dict[str, Any] = {
        "id": None,
        "type": kind.type,
        "name": None,
        "pool": None,
        "encrypted": kind.encryption != "none",
        "encryption_root": None,
        "key_loaded": kind.key_loaded,
        **{name: value for name, value in properties.items() if names is None or name in names},
        "mountpoint": None,
        "user_properties": _user_properties(kind) if kind.wanted.user_properties else {},
        "locked": kind.encryption != "none" and not kind.key_loaded,
    }
    holes = {
        "snapshots": kind.wanted.snapshots,
        "snapshot_count": kind.wanted.snapshot_count,
        "children": kind.wanted.children,
    }
    return shown | {name: None for name, there in holes.items() if there}


_ENCRYPTION: Final[Mapping[str, tuple[str, str]]] = {
    "key_format": ("none", "passphrase"),
    "encryption_algorithm": ("off", "aes-256-gcm"),
    "pbkdf2iters": ("0", "350000"),
}
"""Raw values without and with encryption."""


def _properties(kind: Kind) -> dict[str, Property | None]:
    """All properties in their order; None where the leaves fill in."""
    volume = kind.type == "VOLUME"
    base = COMMON if volume else {**COMMON, **FILESYSTEM}
    shown: dict[str, Property | None] = {name: setting(name, raw) for name, raw in base.items()}
    for name, raw, origin in kind.settings:
        if "@" in name:
            continue  # a user's or group's quota, which is no property of the dataset
        if origin is None:
            shown[name] = setting(name, raw, "LOCAL")
        elif name in base:
            shown[name] = setting(name, raw, "INHERITED", origin)
    set_here = {name for name, _, origin in kind.settings if origin is None}
    if volume:
        shown["volsize"] = None
        if "volblocksize" not in set_here:
            shown["volblocksize"] = number(16384, "NONE")
        if "sparse" not in set_here:
            shown["sparse"] = prop(True, "on", "ON", "LOCAL")
    shown["readonly"] = setting("readonly", "on" if kind.readonly else "off", "LOCAL" if kind.readonly else None)
    shown["compressratio"] = None
    shown["origin"] = prop("", "", "", "NONE")
    for name in ("reservation", "refreservation"):
        shown.setdefault(name, setting(name, "0"))
    for name, (without, with_it) in _ENCRYPTION.items():
        shown[name] = _encryption(kind, without, with_it)
    shown |= dict.fromkeys(("used", "usedbychildren", "usedbydataset"))
    shown["usedbyrefreservation"] = number(0, "NONE")
    shown |= dict.fromkeys(("usedbysnapshots", "available", "creation"))
    return shown


def _encryption(kind: Kind, without: str, with_it: str) -> Property:
    raw = without if kind.encryption == "none" else with_it
    source = {"none": "NONE", "own": "LOCAL", "inherited": "INHERITED"}[kind.encryption]
    return prop(raw, raw, None if raw in ("none", "off") else raw.upper(), source)


def _user_properties(kind: Kind) -> dict[str, Property]:
    return {
        name: prop(raw, raw, raw, "LOCAL" if origin is None else "INHERITED", origin)
        for name, raw, origin in kind.user_properties
    }
