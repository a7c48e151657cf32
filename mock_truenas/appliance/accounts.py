"""Who may talk to the appliance: API keys, users with passwords and second factors, tokens. Knows no headers."""

import fnmatch
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from mock_truenas.appliance import otp
from mock_truenas.appliance.scram import ITERATIONS, ScramKey, derive

_ALNUM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SECRET_LENGTH: Final = 64
_KEY: Final = re.compile(r"([0-9]{1,9})-([A-Za-z0-9]{64})")

Allowlist = tuple[tuple[str, str], ...]
# Opens every secret nobody gave another beginning, so that a leak can be searched for.
MARKER: Final = "PSIMSECRET"
EVERYTHING: Final[Allowlist] = (("*", "*"),)
ADMINISTRATOR: Final = "truenas_admin"
FULL_ADMIN: Final = frozenset({"FULL_ADMIN"})
KEYS_PER_USER: Final = 10
"""From 25.04 on, where keys belong to users (truenas-api 5.3)."""


@dataclass(frozen=True)
class Allowed:
    """The outcome of a login.

    ``allowlist`` of (method, path glob) counts on 24.x, ``roles`` later. Without success ``why`` says what is the
    matter, and ``revoked_by`` which faults did it. ``key_id`` and ``key_name`` tell the key, where it is known.
    """

    ok: bool
    allowlist: Allowlist = EVERYTHING
    revoked_by: tuple[str, ...] = ()
    username: str | None = None
    roles: frozenset[str] = frozenset()
    why: str = ""
    key_id: int | None = None
    key_name: str | None = None

    def may(self, method: str, path: str) -> bool:
        """Whether the allowlist (truenas-api 5.3, 24.x) covers a request below /api/v2.0."""
        return any(verb in ("*", method) and fnmatch.fnmatchcase(path, resource) for verb, resource in self.allowlist)


@dataclass(slots=True)
class ApiKey:
    """A key; ``revoked_by`` holds everyone who revoked it and did not take that back, ``revoked_reason`` the latest.

    ``deleted_by`` and ``expired_by`` hold the faults because of which it is unknown, or its time is over, at present.
    """

    id: int
    name: str
    username: str
    secret: str = field(repr=False)
    allowlist: Allowlist = EVERYTHING
    created_at_ns: int = 0
    expires_at_ns: int | None = None
    revoked_by: list[str] = field(default_factory=list)
    revoked_reason: str | None = None
    deleted_by: list[str] = field(default_factory=list)
    expired_by: list[str] = field(default_factory=list)
    _scram: ScramKey | None = field(default=None, repr=False)

    @property
    def revoked(self) -> bool:
        """Whether anybody revoked it."""
        return bool(self.revoked_by)

    def expired_at(self, now_ns: int) -> bool:
        """Whether its time is over."""
        return bool(self.expired_by) or (self.expires_at_ns is not None and now_ns >= self.expires_at_ns)


@dataclass(slots=True)
class User:
    """A user who may log in, unless ``locked``; without a password only by key.

    ``otp_secret`` is that of a second factor, if any.
    """

    username: str
    roles: frozenset[str] = FULL_ADMIN
    password: str | None = field(default=None, repr=False)
    otp_secret: bytes | None = field(default=None, repr=False)
    locked: bool = False

    @property
    def two_factor(self) -> bool:
        """Whether a password alone is not enough."""
        return self.otp_secret is not None


@dataclass(frozen=True, slots=True)
class Token:
    """A token of ``auth.generate_token``; with an ``origin`` it is good for nothing from another address."""

    text: str = field(repr=False)
    username: str
    expires_at_ns: int
    single_use: bool = False
    origin: str | None = None


@dataclass
class Accounts:
    """Keys, users and tokens. ``entropy(n)`` gives n bytes; ``prefix`` opens every secret minted here."""

    entropy: Callable[[int], bytes] = field(repr=False)
    prefix: str
    keys: dict[int, ApiKey] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict, repr=False)

    # -- API keys --------------------------------------------------------------------------------------------------

    def mint_api_key(
        self, name: str, prefix: str | None, allowlist: Allowlist, username: str = ADMINISTRATOR, now_ns: int = 0
    ) -> str:
        """A new key ``<id>-<64 alnum>``. Raises ValueError for a name in use or an impossible prefix."""
        text = f"{max(self.keys, default=0) + 1}-{self._secret(prefix)}"
        return self.adopt_api_key(name, text, allowlist, username, now_ns)

    def adopt_api_key(
        self,
        name: str,
        text: str,
        allowlist: Allowlist = EVERYTHING,
        username: str = ADMINISTRATOR,
        now_ns: int = 0,
    ) -> str:
        """Make ``text`` a valid key of a user, made if needed. Raises ValueError (never quoting it) when it cannot."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise ValueError("an API key reads <id>-<64 letters and digits>")
        number = int(match[1])
        if any(key.name == name for key in self.keys.values()) or number in self.keys:
            raise ValueError(f"an API key named {name!r} or with id {match[1]} exists already")
        self.user(username)
        self.keys[number] = ApiKey(number, name, username, match[2], allowlist, now_ns)
        return text

    def find_key(self, number: int) -> ApiKey | None:
        """The key with an id."""
        key = self.keys.get(number)
        return None if key is None or key.deleted_by else key

    def delete_key(self, number: int) -> None:
        """Forget a key. Raises KeyError for an unknown id."""
        del self.keys[number]

    def keys_of(self, username: str) -> tuple[ApiKey, ...]:
        """A user's keys."""
        return tuple(key for key in self.keys.values() if key.username == username)

    def renew_key(self, number: int, prefix: str | None = None) -> str:
        """Give a key a new secret and life, whatever took the old one's. Raises KeyError for an unknown id."""
        key = self.keys[number]
        self.keys[number] = replace(
            key, secret=self._secret(prefix), revoked_by=[], revoked_reason=None, expires_at_ns=None, _scram=None
        )
        return f"{number}-{self.keys[number].secret}"

    def revoke(self, pattern: str, by: str, reason: str = "") -> None:
        """Revoke the keys that exist now and whose name matches the glob."""
        for key in self._named(pattern):
            if by not in key.revoked_by:
                key.revoked_by.append(by)
                key.revoked_reason = reason

    def restore(self, pattern: str, by: str) -> None:
        """Take back what ``by`` revoked; a key others revoked as well stays revoked."""
        for key in self._named(pattern):
            if by in key.revoked_by:
                key.revoked_by.remove(by)

    def hide(self, pattern: str, by: str) -> None:
        """Let the keys that exist now and match the glob look deleted until ``show``."""
        for key in self._named(pattern):
            key.deleted_by.append(by)

    def expire(self, pattern: str, by: str) -> None:
        """Let the time of the keys that exist now and match the glob be over until ``show``."""
        for key in self._named(pattern):
            key.expired_by.append(by)

    def show(self, by: str) -> None:
        """Take back what ``by`` hid or let expire."""
        for key in self.keys.values():
            key.deleted_by[:] = [other for other in key.deleted_by if other != by]
            key.expired_by[:] = [other for other in key.expired_by if other != by]

    def pardon(self) -> None:
        """Take back whatever was done to keys, and forget tokens."""
        for key in self.keys.values():
            key.revoked_by.clear()
            key.deleted_by.clear()
            key.expired_by.clear()
            key.revoked_reason = None
        self._tokens.clear()

    def _named(self, pattern: str) -> Iterable[ApiKey]:
        return [key for key in self.keys.values() if fnmatch.fnmatchcase(key.name, pattern)]

    def check_api_key(self, text: str, now_ns: int = 0) -> Allowed:
        """Whether a key opens the door: ``why`` not is unknown, wrong, revoked or expired."""
        match = _KEY.fullmatch(text)
        number = int(match[1]) if match else _leading_number(text)
        key = self.keys.get(number) if number is not None else None
        if key is None:
            return Allowed(ok=False, why="unknown", key_id=number)
        if key.deleted_by:
            return Allowed(ok=False, why="unknown", key_id=key.id, revoked_by=tuple(key.deleted_by))
        if match is None or not hmac.compare_digest(key.secret, match[2]):
            return Allowed(ok=False, why="wrong", key_id=key.id)
        return self._of_key(key, now_ns)

    def _of_key(self, key: ApiKey, now_ns: int) -> Allowed:
        if key.revoked_by or key.expired_at(now_ns):
            why = "revoked" if key.revoked_by else "expired"
            revoked_by = tuple(by for by in key.revoked_by or key.expired_by if by)
            return Allowed(False, revoked_by=revoked_by, why=why, key_id=key.id, key_name=key.name)
        user = self.user(key.username)
        if user.locked:
            return Allowed(ok=False, why="locked", key_id=key.id, key_name=key.name)
        roles, name = user.roles, key.username
        return Allowed(True, key.allowlist, username=name, roles=roles, key_id=key.id, key_name=key.name)

    def scram_key(self, number: int, iterations: int = ITERATIONS) -> ScramKey:
        """What SCRAM needs to know of a key, derived once. Raises KeyError for an unknown id."""
        key = self.keys[number]
        if key._scram is None or key._scram.iterations != iterations:
            key._scram = derive(key.secret, self.entropy(16), iterations)
        return key._scram

    # -- users -----------------------------------------------------------------------------------------------------

    def user(self, username: str) -> User:
        """The user of that name, made with all rights if needed."""
        return self.users.setdefault(username, User(username))

    def rename_user(self, username: str, new: str) -> None:
        """Give a user and whatever is his another name; nothing happens for an unknown one."""
        user = self.users.pop(username, None)
        if user is not None:
            self.users[new] = replace(user, username=new)
        for key in self.keys_of(username):
            key.username = new
        mine = [token for token in self._tokens.values() if token.username == username]
        self._tokens |= {token.text: replace(token, username=new) for token in mine}

    def delete_user(self, username: str) -> None:
        """Forget a user, his keys and his tokens; nothing happens for an unknown one."""
        self.users.pop(username, None)
        for key in self.keys_of(username):
            del self.keys[key.id]
        self._tokens = {text: token for text, token in self._tokens.items() if token.username != username}

    def mint_password(self, username: str) -> str:
        """A new password for a user, made if needed."""
        password = self._secret(None)[:32]
        self.user(username).password = password
        return password

    def mint_otp_secret(self, username: str) -> bytes:
        """Ask a user for a second factor from now on; returned is what its device must know. Raises KeyError."""
        self.users[username].otp_secret = secret = self.entropy(20)
        return secret

    def check_password(self, username: str, password: str) -> Allowed:
        """Whether a user's password is right; the second factor is asked for elsewhere."""
        user = self.users.get(username)
        known = user.password if user is not None else None
        if user is None or known is None or user.locked:
            return Allowed(ok=False, why="unknown")
        if not hmac.compare_digest(known.encode(), password.encode("utf-8", "surrogatepass")):
            return Allowed(ok=False, why="wrong")
        return Allowed(ok=True, username=username, roles=user.roles)

    def check_otp(self, username: str, given: str, now_ns: int) -> bool:
        """Whether a one-time password is right; any is for a user without a second factor."""
        user = self.users.get(username)
        return user is not None and (user.otp_secret is None or otp.is_current(user.otp_secret, given, now_ns))

    # -- tokens ----------------------------------------------------------------------------------------------------

    def mint_token(
        self, username: str, ttl_s: int, now_ns: int, *, single_use: bool = False, origin: str | None = None
    ) -> str:
        """A token that logs a user in for ``ttl_s`` seconds, with an ``origin`` only from that address."""
        for token in [token for token in self._tokens.values() if now_ns >= token.expires_at_ns]:
            del self._tokens[token.text]
        text = self._secret(None)
        self._tokens[text] = Token(text, username, now_ns + ttl_s * 1_000_000_000, single_use, origin)
        return text

    def check_token(self, text: str, now_ns: int, origin: str = "") -> Allowed:
        """Whether a token is valid now, shown from the address ``origin``; one for single use is so once."""
        token = self._tokens.get(text)
        if token is None or now_ns >= token.expires_at_ns:
            return Allowed(ok=False, why="unknown" if token is None else "expired")
        user = self.user(token.username)
        if user.locked or token.origin not in (None, origin):
            return Allowed(ok=False, why="locked" if user.locked else "origin")
        if token.single_use:
            del self._tokens[text]
        return Allowed(ok=True, username=token.username, roles=user.roles)

    def _secret(self, prefix: str | None) -> str:
        start = (self.prefix or MARKER) if prefix is None else prefix
        if len(start) > _SECRET_LENGTH // 2 or not all(character in _ALNUM for character in start):
            raise ValueError("a secret's prefix is at most 32 letters and digits")
        drawn = self.entropy(_SECRET_LENGTH - len(start))
        return start + "".join(_ALNUM[byte % len(_ALNUM)] for byte in drawn)


def _leading_number(text: str) -> int | None:
    head = text.partition("-")[0]
    return int(head) if re.fullmatch("[0-9]{1,9}", head) else None
