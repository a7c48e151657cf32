"""``api_key.*``: keys, shown once when they are made (truenas-api 2.4, 5.3).

On 24.x a key has the paths it may be used for; later it has a user, and maybe an end.
"""

import errno
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import InstanceNotFound, Problem, ValidationErrors
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param
from mock_truenas.api.methods.tables import SECRET, Row, given_object, may_see_secrets, refuse, unknown_here
from mock_truenas.api.methods.users import USER, account_of
from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.accounts import EVERYTHING, ApiKey


def _key_row(call: Call, key: ApiKey, secret: str | None = None) -> Row:
    """A key as it is shown: on 24.x with the paths it may be used for, later with whose it is and until when."""
    user = next((row for row in USER.kept(call.appliance).values() if row["username"] == key.username), None)
    row = {
        "id": key.id,
        "name": key.name,
        "username": key.username,
        "user_identifier": "0" if user is None else str(user["uid"]),
        "keyhash": SECRET,
        "allowlist": [{"method": verb, "resource": path} for verb, path in key.allowlist],
        "created_at": date(key.created_at_ns),
        "expires_at": None if key.expires_at_ns is None else date(key.expires_at_ns),
        "local": True,
        "revoked": key.revoked,
        "revoked_reason": (key.revoked_reason or None) if key.revoked else None,
    }
    shown = call.dialect.shaped("api_key", row)
    if secret is not None:
        shown["key"] = secret
    elif call.dialect.has("key_allowlists") and not may_see_secrets(call):
        shown["key"] = SECRET
    return shown


def _keys(call: Call) -> list[Row]:
    return [_key_row(call, key) for key in call.appliance.accounts.keys.values() if not key.deleted_by]


def _key(call: Call) -> ApiKey:
    number = call.arguments["id"]
    key: ApiKey | None = call.appliance.find_key(number)
    if key is None:
        raise InstanceNotFound(f"API key {number}")
    return key


def _create_key(call: Call) -> Row:
    given = call.arguments["api_key_create"]
    refuse("api_key_create", _sound_key(call, given, None))
    name = given.get("name") or f"key {max(call.appliance.accounts.keys, default=0) + 1}"
    whose = {"username": given["username"]} if "username" in given else {}
    if whose:
        account_of(call, given["username"])
    try:
        text = call.appliance.mint_api_key(name, allowlist=_allowlist(given), **whose)
    except ValueError as error:
        raise ValidationErrors.one("api_key_create.username", str(error)) from None
    key = call.appliance.accounts.keys[int(text.partition("-")[0])]
    key.expires_at_ns = _instant_ns(given.get("expires_at"))
    call.appliance.change()
    return _key_row(call, key, text)


def _update_key(call: Call) -> Row:
    key, given = _key(call), call.arguments["api_key_update"]
    refuse("api_key_update", _sound_key(call, given, key.id))
    secret = call.appliance.accounts.renew_key(key.id) if given.get("reset") else None
    key = call.appliance.accounts.keys[key.id]
    key.name = given.get("name", key.name)
    if "allowlist" in given:
        key.allowlist = _allowlist(given)
    if "expires_at" in given:
        key.expires_at_ns = _instant_ns(given["expires_at"])
    call.appliance.change()
    return _key_row(call, key, secret)


def _delete_key(call: Call) -> bool:
    call.appliance.accounts.delete_key(_key(call).id)
    call.appliance.change()
    return True


def _sound_key(call: Call, given: Mapping[str, Any], number: Any) -> Iterable[Problem]:
    yield from unknown_here(call, "api_key", given)
    keys = call.appliance.accounts.keys.values()
    if any(key.name == given.get("name") and key.id != number for key in keys):
        yield "name", "name must be unique", errno.EEXIST
    username = given.get("username")
    users = (row["username"] for row in USER.kept(call.appliance).values())
    if username is not None and username not in users and username not in call.appliance.accounts.users:
        yield "username", f"{username}: User does not exist.", errno.ENOENT
    expires = given.get("expires_at")
    if expires is not None and expires["$date"] * 1_000_000 <= call.appliance.now_ns():
        yield "expires_at", "Expiration date is in the past", errno.EINVAL


def _allowlist(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if given.get("allowlist") is None:
        return EVERYTHING
    return tuple((entry["method"], entry["resource"]) for entry in given["allowlist"])


def _instant_ns(given: Mapping[str, int] | None) -> int | None:
    return None if given is None else given["$date"] * 1_000_000


_NotEmpty = Annotated[str, Field(min_length=1)]
_Date = dict[Literal["$date"], Annotated[int, Field(ge=0, le=253_402_300_799_000)]]
_ENTRY: Final = {"method": Literal["GET", "POST", "PUT", "DELETE", "CALL", "SUBSCRIBE", "*"], "resource": _NotEmpty}
_ALLOWLIST: Final = list[given_object("allowlist_item", _ENTRY, _ENTRY, {})]  # type: ignore[misc]
_KEY_FIELDS: Final[Mapping[str, Any]] = {
    "name": Annotated[str, Field(min_length=1, max_length=200)],
    "username": _NotEmpty,
    "expires_at": Annotated[_Date, Field(min_length=1)] | None,
    "allowlist": _ALLOWLIST,
}
# Whose it is stays.
_CHANGED: Final = {name: kind for name, kind in _KEY_FIELDS.items() if name != "username"} | {"reset": bool}
_KEY_BLANK: Final[Mapping[str, Any]] = {"name": "", "username": "", "expires_at": None, "allowlist": [], "reset": False}


def _key_method(verb: str, kind: Kind, run: Any, *accepts: Param) -> Method:
    name, item = f"api_key.{verb}", kind is not Kind.CREATE
    doc = f"{verb.capitalize()} an API key"
    return Method(name, doc, run, accepts, kind, Access.WRITE, frozenset({"API_KEY_WRITE"}), item=item)


METHODS: Final[tuple[Method, ...]] = (
    # Keys are made and revoked beside the state whose revision says what may be kept.
    Method("api_key.query", "API keys", _keys, kind=Kind.QUERY, filterable=True),
    _key_method(
        "create",
        Kind.CREATE,
        _create_key,
        Param("api_key_create", given_object("api_key_create", _KEY_FIELDS, (), _KEY_BLANK)),
    ),
    _key_method(
        "update",
        Kind.UPDATE,
        _update_key,
        Param("id", int),
        Param("api_key_update", given_object("api_key_update", _CHANGED, (), _KEY_BLANK), {}),
    ),
    _key_method("delete", Kind.DELETE, _delete_key, Param("id", int)),
)
