"""What tells whose appliance it was is replaced, the same thing by the same thing wherever it stands. Pure.

Replaced: serial numbers, guids, host names, addresses, users, e-mails, UUIDs; names of pools and datasets when asked.
Removed: passwords, keys, tokens, certificates. What replaces them is as long and of the same kind, so that clients that
measure or parse it find what they are used to. Doing it twice changes nothing more.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from mock_truenas.capture.document import Capture

_MASK: Final = "********"
_SECRETS: Final = re.compile(
    r"passw|passphrase|secret|token|private_?key|api_?key|sshpubkey|unixhash|smbhash|^psk$|^key_data$|credential|"
    r"^chap|peersecret|^certificate$|^CSR$|^attributes$|auxsmbconf|aux_param|^license$|^salt$",
    re.IGNORECASE,
)
_KEPT_ANYWAY: Final = frozenset({"password_disabled", "ssh_password_enabled", "has_password", "password_aging_enabled"})
_API_KEY: Final = re.compile(r"\b[0-9]{1,9}-[A-Za-z0-9]{64}\b")
_PEM: Final = re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|$)", re.DOTALL)
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_EMAIL: Final = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
_MAC: Final = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE)
_IPV4: Final = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?![\w:])", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_HOST_ID: Final = re.compile(r"[0-9a-f]{64}")
_VERSIONS: Final = re.compile(r"version|image|schema", re.IGNORECASE)
_SYSTEM_USERS: Final = frozenset({"root", "truenas_admin", "admin", "nobody", "daemon", "apps", "www-data"})


@dataclass
class _Names:
    """Found so far, by kind of thing, with what replaces each."""

    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, kind: str, name: str, make: Callable[[int, str], str]) -> str:
        """The replacement of a thing, the same each time."""
        table = self.known.setdefault(kind, {})
        if name not in table:
            table[name] = make(len(table) + 1, name)
        return table[name]


def anonymised(capture: Capture, *, names: bool = False) -> Capture:
    """The capture without what tells whose it was; with ``names`` those of pools and datasets are replaced too."""
    found = _Names()
    exact = _identities(capture, found)
    if names:
        exact |= _pool_names(capture, found)
    cleaner = _Cleaner(exact, found)
    answers = {method: cleaner.clean(value) for method, value in capture.answers.items()}
    return replace(capture, answers=answers)


# -- who it is -----------------------------------------------------------------------------------------------------


def _identities(capture: Capture, found: _Names) -> dict[str, str]:
    """Serial numbers, guids, host and user names, as they stand in fields that hold nothing else."""
    exact: dict[str, str] = {}
    info = capture.answers.get("system.info") or {}
    hostname = info.get("hostname")
    if isinstance(hostname, str) and len(hostname) > 2:
        for name in dict.fromkeys((hostname, hostname.partition(".")[0])):
            exact[name] = "truenas" if "." not in name else "truenas.example"
    for row in _walk(capture.answers):
        for name, value in row.items():
            make = _FIELDS.get(name)
            if make is not None and isinstance(value, str) and len(value) > 3 and not _is_placeholder(value):
                exact[value] = found.of(name if name not in ("guid", "zfs_guid") else "guid", value, make)
    for row in _rows(capture, "user.query"):
        username = row.get("username")
        if isinstance(username, str) and not row.get("builtin") and username not in _SYSTEM_USERS:
            exact[username] = found.of("user", username, lambda number, _: f"user{number}")
            full_name = row.get("full_name")
            if isinstance(full_name, str) and len(full_name) > 2 and full_name not in exact:
                exact[full_name] = f"User {exact[username].removeprefix('user')}"
    for row in _rows(capture, "group.query"):
        group = row.get("group") or row.get("name")
        if isinstance(group, str) and not row.get("builtin") and group not in exact and group not in _SYSTEM_USERS:
            exact[group] = found.of("group", group, lambda number, _: f"group{number}")
    return exact


def _serial(number: int, like: str) -> str:
    return f"S{number:0{max(1, len(like) - 1)}d}"


def _guid(number: int, like: str) -> str:
    return f"1{number:0{max(1, len(like) - 1)}d}"


def _lunid(number: int, like: str) -> str:
    return f"5{number:0{max(1, len(like) - 1)}x}"


_FIELDS: Final[Mapping[str, Callable[[int, str], str]]] = {
    "serial": _serial,
    "system_serial": lambda number, like: f"M{number:0{max(1, len(like) - 1)}d}",
    "lunid": _lunid,
    "guid": _guid,
    "zfs_guid": _guid,
}


def _is_placeholder(value: str) -> bool:
    """What machines without an identity say; clients have to cope with it, so it stays."""
    return value.casefold() in {
        "not specified",
        "none",
        "unknown",
        "0123456789",
        "default string",
        "to be filled by o.e.m.",
    }


def _pool_names(capture: Capture, found: _Names) -> dict[str, str]:
    exact: dict[str, str] = {}
    for row in _rows(capture, "pool.query"):
        if isinstance(row.get("name"), str):
            exact[row["name"]] = found.of("pool", row["name"], lambda number, _: f"pool{number}")
    for row in _walk(capture.answers.get("pool.dataset.query")):
        name = row.get("name")
        if isinstance(name, str) and "rawvalue" not in row:
            for part in name.split("/")[1:]:
                if part not in exact and not part.startswith((".", "ix-")):
                    exact[part] = found.of("dataset", part, lambda number, _: f"data{number}")
    return exact


def _rows(capture: Capture, method: str) -> list[Mapping[str, Any]]:
    answer = capture.answers.get(method)
    return [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []


def _walk(value: Any) -> Iterable[Mapping[str, Any]]:
    """Every object in a value, outermost first."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += reversed(list(part.values()))
        elif isinstance(part, list):
            waiting += reversed(part)


# -- wherever it stands --------------------------------------------------------------------------------------------


class _Cleaner:
    """Replaces names, and whatever has a form of its own, in every text; the same text is looked at once."""

    def __init__(self, exact: Mapping[str, str], found: _Names) -> None:
        self._exact = exact
        self._found = found
        longest_first = sorted(exact, key=lambda name: (-len(name), name))
        names = "|".join(map(re.escape, longest_first)) or "(?!)"
        self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])")
        # Thousands of names are tried one after another, so only where one can begin.
        self._beginnings = {words[0] for name in exact if (words := _WORD.findall(name))}
        self._foreign = any(not _WORD.search(name) for name in exact)
        self._known: dict[tuple[str, bool], str] = {}

    def clean(self, value: Any, name: str = "") -> Any:
        """A value, which stands under ``name``, without what tells."""
        if isinstance(value, dict):
            return {self._text(key, ""): self._field(key, part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.clean(part, name) for part in value]
        return self._text(value, name) if isinstance(value, str) else value

    def _field(self, key: str, part: Any) -> Any:
        return _masked(part) if _is_secret(key) else self.clean(part, key)

    def _text(self, text: str, name: str) -> str:
        key = (text, _is_version(name))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._replaced(text, addresses=not key[1])
        return known

    def _replaced(self, text: str, *, addresses: bool) -> str:
        found = self._found
        text = _PEM.sub(_MASK, _API_KEY.sub(_MASK, text))
        if self._foreign or not self._beginnings.isdisjoint(_WORD.findall(text)):
            text = self._pattern.sub(lambda match: self._exact[match[0]], text)
        if _HOST_ID.fullmatch(text):
            return found.of("host_id", text, lambda number, _: f"{number:064x}")
        text = _UUID.sub(lambda match: found.of("uuid", match[0], _uuid), text)
        text = _EMAIL.sub(
            lambda match: found.of("email", match[0], lambda number, _: f"user{number}@example.org"), text
        )
        text = _MAC.sub(lambda match: found.of("mac", match[0], lambda number, _: _mac(number)), text)
        if not addresses:
            return text
        text = _IPV4.sub(lambda match: _address(match[0], found), text)
        return _IPV6.sub(lambda match: _address(match[0], found), text)


@lru_cache(maxsize=10_000)
def _is_secret(key: str) -> bool:
    return _SECRETS.search(key) is not None and key not in _KEPT_ANYWAY


@lru_cache(maxsize=10_000)
def _is_version(key: str) -> bool:
    return _VERSIONS.search(key) is not None


def _masked(value: Any) -> Any:
    """Something secret: text becomes a mask, everything else what is empty of its kind."""
    if isinstance(value, str):
        return _MASK if value else value
    if isinstance(value, dict):
        return {}
    return [] if isinstance(value, list) else value if isinstance(value, bool) else None


def _uuid(number: int, _: str) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def _mac(number: int) -> str:
    return ":".join(("02", "00", *(f"{number:08x}"[place : place + 2] for place in range(0, 8, 2))))


def _address(text: str, found: _Names) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.is_loopback or address.is_unspecified or text.startswith("255."):
        return text
    if address.version == 6:
        return found.of("ipv6", text, lambda number, _: f"2001:db8::{number:x}")
    return found.of("ipv4", text, lambda number, _: str(ipaddress.IPv4Address("198.18.0.0") + number))
