"""A configured appliance, and the rules its record has to keep (contract A1). No I/O.

The record is what stands in the encrypted store and, redacted, in the API; its secrets never show in a ``repr``.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MASK: Final = "********"
DEFAULT_ORG: Final = "default"
DEFAULT_INTERVAL_S: Final = 60
LONGEST_INTERVAL_S: Final = 3600

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_FINGERPRINT: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_VISIBLE_ASCII: Final = re.compile(r"[!-~]{1,512}")
_KEYS: Final = (
    "id",
    "name",
    "host",
    "port",
    "apiKey",
    "username",
    "password",
    "useHttps",
    "insecureSkipVerify",
    "fingerprint",
    "enabled",
    "pollIntervalSeconds",
)


class ConnectionInvalid(ValueError):
    """A record that breaks rules; `problems` maps field names to what is wrong, without their values."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {problem}" for key, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Connection:
    """One appliance to poll, for one organisation. `port` 0 means the default port of the scheme.

    `unknown` keeps keys of a stored record that this version does not know, so that writing it back loses nothing.
    """

    id: str
    host: str
    name: str = ""
    port: int = 0
    api_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    use_https: bool = True
    insecure_skip_verify: bool = False
    fingerprint: str = ""
    enabled: bool = True
    poll_interval_s: int = DEFAULT_INTERVAL_S
    unknown: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    org: str = DEFAULT_ORG

    @property
    def effective_port(self) -> int:
        """The port to connect to."""
        return self.port or (443 if self.use_https else 80)

    @property
    def endpoint(self) -> tuple[str, int, str]:
        """Two connections with the same endpoint are duplicates: normalised host, port, user name."""
        return self.host, self.effective_port, self.username

    @property
    def access(self) -> tuple[object, ...]:
        """What a client is built from; a change of it needs a new client."""
        return (
            self.host,
            self.effective_port,
            self.use_https,
            self.api_key,
            self.username,
            self.password,
            self.insecure_skip_verify,
            self.fingerprint,
        )

    def to_record(self) -> dict[str, Any]:
        """The record as stored, secrets included."""
        values = (
            self.id,
            self.name,
            self.host,
            self.port,
            self.api_key,
            self.username,
            self.password,
            self.use_https,
            self.insecure_skip_verify,
            self.fingerprint,
            self.enabled,
            self.poll_interval_s,
        )
        record = dict(self.unknown) | dict(zip(_KEYS, values, strict=True))
        if not self.port:
            del record["port"]
        return record

    def secrets(self) -> tuple[str, ...]:
        """The secrets of the connection that are set."""
        return tuple(secret for secret in (self.api_key, self.password) if secret)


class Redaction:
    """How a record leaves the process: its secrets replaced by a mask."""

    def record(self, connection: Connection) -> dict[str, Any]:
        """The record without unknown keys, secrets masked when set, the port as it is used."""
        record = {**connection.to_record(), "port": connection.effective_port}
        shown = {key: record[key] for key in _KEYS}
        for key in ("apiKey", "password"):
            shown[key] = MASK if shown[key] else ""
        return shown


def read_connection(record: Mapping[str, Any], org: str = DEFAULT_ORG) -> Connection:
    """The connection a record describes. Raises ConnectionInvalid with every problem at once.

    `api_key` is taken as an alias of `apiKey`. A scheme in `host` decides `useHttps`; a port in it counts when
    `port` is absent.
    """
    if "api_key" in record and "apiKey" not in record:
        record = {**record, "apiKey": record["api_key"]}
    reader = _Reader(record)
    host, port, use_https = reader.address()
    found = Connection(
        id=reader.identifier(),
        host=host,
        name=reader.text("name")[:200],
        port=port,
        api_key=reader.api_key(),
        username=reader.text("username"),
        password=reader.text("password"),
        use_https=use_https,
        insecure_skip_verify=reader.flag("insecureSkipVerify", False),
        fingerprint=reader.fingerprint(),
        enabled=reader.flag("enabled", True),
        poll_interval_s=reader.whole("pollIntervalSeconds", DEFAULT_INTERVAL_S, LONGEST_INTERVAL_S),
        unknown=tuple((key, value) for key, value in record.items() if key not in _KEYS and key != "api_key"),
        org=org,
    )
    if not found.api_key and not (found.username and found.password) and "apiKey" not in reader.problems:
        reader.problems["apiKey"] = "an API key, or a user name with a password, is needed"
    if reader.problems:
        raise ConnectionInvalid(reader.problems)
    return found


class _Reader:
    """Reads one record, collecting problems by field."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record
        self.problems: dict[str, str] = {}

    def text(self, key: str) -> str:
        value = self._record.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > 512 or any(ord(char) < 32 for char in value):
            self.problems[key] = "must be text without control characters, at most 512"
            return ""
        if any("\ud800" <= char <= "\udfff" for char in value):  # a half of a pair: no encoding has it
            self.problems[key] = "must be text without lone surrogates"
            return ""
        return value if key == "password" else value.strip()

    def flag(self, key: str, default: bool) -> bool:
        value = self._record.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problems[key] = "must be true or false"
            return default
        return value

    def whole(self, key: str, default: int, largest: int) -> int:
        value = self._record.get(key)
        if value is None:
            return default
        if type(value) is not int or not 1 <= value <= largest:
            self.problems[key] = f"must be a whole number from 1 to {largest}"
            return default
        return value

    def identifier(self) -> str:
        value = self._record.get("id")
        if not isinstance(value, str) or not _ID.fullmatch(value):
            self.problems["id"] = "must be 1 to 64 letters, digits, dots, dashes or underscores"
            return ""
        return value

    def api_key(self) -> str:
        value = self.text("apiKey")
        if value and not _VISIBLE_ASCII.fullmatch(value):
            self.problems["apiKey"] = "must be visible ASCII without spaces"
        return value

    def fingerprint(self) -> str:
        value = self.text("fingerprint").lower()
        match = _FINGERPRINT.fullmatch(value.replace(":", "").replace("sha256", "sha256:"))
        if value and match is None:
            self.problems["fingerprint"] = "must be 64 hexadecimal digits (SHA-256 of the certificate)"
        return match[1] if match else ""

    def address(self) -> tuple[str, int, bool]:
        """Host, port (0: the scheme's own) and whether TLS is used."""
        use_https = self.flag("useHttps", True)
        port = self.whole("port", 0, 65535)
        scheme, found, rest = self.text("host").partition("://")
        if found:
            if scheme.lower() not in ("http", "https"):
                self.problems["host"] = "the scheme must be http or https"
            use_https = scheme.lower() == "https"
            rest = rest.removesuffix("/")
        host, port_text = _split_port(rest if found else scheme)
        if port_text is not None:
            if not re.fullmatch("[0-9]{1,5}", port_text) or not 1 <= int(port_text) <= 65535:
                self.problems["host"] = "the port in it must be from 1 to 65535"
            elif port not in (0, int(port_text)):
                self.problems["port"] = "differs from the port in host"
            else:
                port = int(port_text)
        normalised = normalise_host(host)
        if normalised is None:
            self.problems.setdefault("host", "must be a host name or an IP address, without user, path or query")
        return normalised or "", port, use_https


def _split_port(text: str) -> tuple[str, str | None]:
    """Host and port of ``host:port`` and ``[v6]:port``; a bare IPv6 address has no port."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        return (host if closed else "", rest.removeprefix(":") if rest else None)
    host, colon, port = text.partition(":")
    return (text, None) if not colon or ":" in port else (host, port)


def normalise_host(text: str) -> str | None:
    """The host in lower case without a trailing dot, or None when it is no host."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return name
