"""Who may talk to the appliance: API keys of the 24.x kind and users with passwords. Knows no headers."""

import fnmatch
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_ALNUM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SECRET_LENGTH: Final = 64
_KEY: Final = re.compile(r"([0-9]{1,9})-([A-Za-z0-9]{64})")

Allowlist = tuple[tuple[str, str], ...]
# Opens every secret nobody gave another beginning, so that a leak can be searched for.
MARKER: Final = "PSIMSECRET"
EVERYTHING: Final[Allowlist] = (("*", "*"),)


@dataclass(frozen=True)
class Allowed:
    """The outcome of a login: ``allowlist`` of (method, path glob) when it succeeded, and who revoked it if not."""

    ok: bool
    allowlist: Allowlist = EVERYTHING
    revoked_by: tuple[str, ...] = ()

    def may(self, method: str, path: str) -> bool:
        """Whether the allowlist (truenas-api 5.3, 24.x) covers a request below /api/v2.0."""
        return any(verb in ("*", method) and fnmatch.fnmatchcase(path, resource) for verb, resource in self.allowlist)


@dataclass
class ApiKey:
    """A key; ``revoked_by`` holds everyone who revoked it and did not take that back."""

    name: str
    secret: str
    allowlist: Allowlist
    revoked_by: list[str] = field(default_factory=list)


_REFUSED: Final = Allowed(ok=False)


@dataclass
class Accounts:
    """Keys and users. ``entropy(n)`` gives n bytes; ``prefix`` opens every secret minted here."""

    entropy: Callable[[int], bytes]
    prefix: str
    keys: dict[int, ApiKey] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def mint_api_key(self, name: str, prefix: str | None, allowlist: Allowlist) -> str:
        """A new key ``<id>-<64 alnum>``. Raises ValueError for a name in use or an impossible prefix."""
        return self.adopt_api_key(name, f"{max(self.keys, default=0) + 1}-{self._secret(prefix)}", allowlist)

    def adopt_api_key(self, name: str, text: str, allowlist: Allowlist = EVERYTHING) -> str:
        """Make ``text`` a valid key. Raises ValueError (never quoting it) when it is not of that form."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise ValueError("an API key reads <id>-<64 letters and digits>")
        if any(key.name == name for key in self.keys.values()) or int(match[1]) in self.keys:
            raise ValueError(f"an API key named {name!r} or with id {match[1]} exists already")
        self.keys[int(match[1])] = ApiKey(name, match[2], allowlist)
        return text

    def mint_password(self, username: str) -> str:
        """A new password for a user, made if needed."""
        self.passwords[username] = self._secret(None)[:32]
        return self.passwords[username]

    def _secret(self, prefix: str | None) -> str:
        start = (self.prefix or MARKER) if prefix is None else prefix
        if len(start) > _SECRET_LENGTH // 2 or not all(character in _ALNUM for character in start):
            raise ValueError("a secret's prefix is at most 32 letters and digits")
        drawn = self.entropy(_SECRET_LENGTH - len(start))
        return start + "".join(_ALNUM[byte % len(_ALNUM)] for byte in drawn)

    def revoke(self, pattern: str, by: str) -> None:
        """Revoke the keys that exist now and whose name matches the glob."""
        for key in self.keys.values():
            if fnmatch.fnmatchcase(key.name, pattern) and by not in key.revoked_by:
                key.revoked_by.append(by)

    def restore(self, pattern: str, by: str) -> None:
        """Take back what ``by`` revoked; a key others revoked as well stays revoked."""
        for key in self.keys.values():
            if fnmatch.fnmatchcase(key.name, pattern) and by in key.revoked_by:
                key.revoked_by.remove(by)

    def check_api_key(self, text: str) -> Allowed:
        """Whether a key opens the door. A revoked key looks like a deleted one on 24.x."""
        match = _KEY.fullmatch(text)
        key = self.keys.get(int(match[1])) if match else None
        if match is None or key is None or not hmac.compare_digest(key.secret, match[2]):
            return _REFUSED
        if key.revoked_by:
            return Allowed(ok=False, revoked_by=tuple(key.revoked_by))
        return Allowed(ok=True, allowlist=key.allowlist)

    def check_password(self, username: str, password: str) -> Allowed:
        """Whether a user's password is right."""
        known = self.passwords.get(username)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            return _REFUSED
        return Allowed(ok=True)
