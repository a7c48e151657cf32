"""The environment of the stack, read once at start (contract A1). Reads nothing but the mapping it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

VARIANTS: Final = ("truenas-off-by-default", "truenas-on-by-default", "without-truenas")
TRANSPORTS: Final = ("auto", "rest", "rpc")
"""How appliances are spoken to: found out on first contact, or forced (contract A2)."""
CONCURRENT_POLLS: Final = 100
"""Polls under way at once, of connections that answer and again of those that do not."""
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_UNLICENSED: Final = frozenset({"0", "false", "no", "off", "none", "expired"})


class SettingsInvalid(ValueError):
    """An environment variable cannot be used; the text names it."""


@dataclass(frozen=True)
class Settings:
    """`variant` is one of VARIANTS. `api_token` empty means: only direct loopback requests are admin; `read_token` may
    only read. Without a license no connection can be added.
    """

    variant: str
    truenas_enabled: bool
    data_dir: str = "/etc/pulse"
    multi_tenant: bool = False
    bind_address: str = "127.0.0.1"
    port: int = 7655
    api_token: str = field(default="", repr=False)
    read_token: str = field(default="", repr=False)
    licensed: bool = True
    node_limit: int | None = None
    transport: str = "auto"
    alert_webhook: str = field(default="", repr=False)
    concurrent_polls: int = CONCURRENT_POLLS

    @property
    def has_truenas(self) -> bool:
        """Whether this version has the feature at all."""
        return self.variant != "without-truenas"

    def polls_truenas(self) -> bool:
        """Whether the poller starts: the feature flag, or this version's default where nobody set it."""
        return self.truenas_enabled


def is_true(text: str | None) -> bool:
    """1, true, yes and on, in any case, trimmed; everything else is off."""
    return (text or "").strip().lower() in _TRUE


def read_settings(environ: Mapping[str, str], variant: str, made: type[Settings] = Settings) -> Settings:
    """Settings from the environment, as a `made`. Raises SettingsInvalid."""
    if variant not in VARIANTS:
        raise SettingsInvalid(f"variant {variant!r} is none of {', '.join(VARIANTS)}")
    flag = environ.get("PULSE_ENABLE_TRUENAS")
    on_unless_refused = variant == "truenas-on-by-default" and not (flag or "").strip()
    limit = (environ.get("PULSE_NODE_LIMIT") or "").strip()
    return made(
        variant=variant,
        truenas_enabled=variant != "without-truenas" and (on_unless_refused or is_true(flag)),
        data_dir=(environ.get("PULSE_DATA_DIR") or "/etc/pulse").rstrip("/") or "/",
        multi_tenant=is_true(environ.get("PULSE_MULTI_TENANT_ENABLED")),
        bind_address=environ.get("BIND_ADDRESS") or "127.0.0.1",
        port=_whole(environ.get("FRONTEND_PORT") or "7655", "FRONTEND_PORT", 65535),
        api_token=(environ.get("PULSE_API_TOKEN") or "").strip(),
        read_token=(environ.get("PULSE_API_READ_TOKEN") or "").strip(),
        licensed=_licensed(environ.get("PULSE_LICENSE") or "on"),
        node_limit=_whole(limit, "PULSE_NODE_LIMIT", 10**6) if limit else None,
        transport=_transport(environ.get("PULSE_TRUENAS_TRANSPORT") or "auto"),
        concurrent_polls=_polls(environ.get("PULSE_TRUENAS_CONCURRENT_POLLS") or str(CONCURRENT_POLLS)),
        alert_webhook=_webhook((environ.get("PULSE_ALERT_WEBHOOK") or "").strip()),
    )


def _webhook(text: str) -> str:
    """The address of the receiver of notifications, or nothing. It may hold a secret: no message repeats it."""
    if not text:
        return ""
    refused = SettingsInvalid("PULSE_ALERT_WEBHOOK must be an http or https URL")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise refused from None
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise refused
    return text


def _licensed(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _UNLICENSED:
        raise SettingsInvalid(f"PULSE_LICENSE must be one of {', '.join(sorted(_TRUE | _UNLICENSED))}")
    return word in _TRUE


def _transport(text: str) -> str:
    if text.strip().lower() not in TRANSPORTS:
        raise SettingsInvalid(f"PULSE_TRUENAS_TRANSPORT must be one of {', '.join(TRANSPORTS)}")
    return text.strip().lower()


def _polls(text: str) -> int:
    found = _whole(text.strip(), "PULSE_TRUENAS_CONCURRENT_POLLS", 10_000)
    if not found:
        raise SettingsInvalid("PULSE_TRUENAS_CONCURRENT_POLLS must be at least 1")
    return found


def _whole(text: str, name: str, largest: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > largest:
        raise SettingsInvalid(f"{name} must be a whole number up to {largest}")
    return int(text)
