"""``user.*``, ``group.*`` and ``privilege.*``: who may come in (truenas-api 5.3)."""

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param
from mock_truenas.api.methods.tables import (
    Extras,
    Row,
    Table,
    Writing,
    constant,
    crud,
    fields_of,
    readers,
)
from mock_truenas.appliance.accounts import FULL_ADMIN, User

_ROLES: Final = frozenset({"ACCOUNT_WRITE"})
_FIRST_ID: Final = 3000
_ADMINISTRATORS: Final = "builtin_administrators"

USER: Final = Table(
    "user",
    "User",
    {
        "id": 0,
        "uid": 0,
        "username": "",
        "unixhash": "*",
        "smbhash": "*",
        "home": "/var/empty",
        "shell": "/usr/sbin/nologin",
        "full_name": "",
        "builtin": False,
        "smb": True,
        "userns_idmap": None,
        "group": {},
        "groups": [],
        "password_disabled": False,
        "ssh_password_enabled": False,
        "sshpubkey": None,
        "locked": False,
        "sudo_commands": [],
        "sudo_commands_nopasswd": [],
        "email": None,
        "id_type_both": False,
        "local": True,
        "immutable": False,
        "twofactor_auth_configured": False,
        "sid": None,
        "last_password_change": None,
        "password_age": None,
        "password_history": None,
        "password_change_required": False,
        "roles": [],
        "api_keys": [],
    },
    secrets=frozenset({"unixhash", "smbhash"}),
)
GROUP: Final = Table(
    "group",
    "Group",
    {
        "id": 0,
        "gid": 0,
        "name": "",
        "group": "",
        "builtin": False,
        "sudo_commands": [],
        "sudo_commands_nopasswd": [],
        "smb": True,
        "userns_idmap": None,
        "id_type_both": False,
        "local": True,
        "sid": None,
        "roles": [],
        "users": [],
    },
)

# -- users and groups --------------------------------------------------------------------------------------------------


def _users(call: Call) -> list[Row]:
    rows = USER.all(call)
    for row in rows:
        if "api_keys" in row:
            row["api_keys"] = [key.id for key in call.appliance.accounts.keys_of(row["username"])]
    return rows


def _sound_user(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    rows = USER.kept(call.appliance)
    if any(row["username"] == given.get("username") and number != key for number, row in rows.items()):
        yield "username", f"The username {given['username']!r} is already in use.", errno.EEXIST
    for group in given.get("groups", []):
        if group not in GROUP.kept(call.appliance):
            yield "groups", f"Group {group} not found", errno.ENOENT
    group = given.get("group")
    if group is not None and group not in GROUP.kept(call.appliance):
        yield "group", f"Group {group} not found", errno.ENOENT


def _user_made(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Row:
    """A password is never kept in a row; a primary group becomes the object rows show."""
    del kept
    row = {name: value for name, value in given.items() if name not in ("password", "group_create", "random_password")}
    if row.get("group") is None:
        row.pop("group", None)
    else:
        row["group"] = {"id": row["group"], "bsdgrp_gid": None, "bsdgrp_group": None}
    return row


def _complete_user(call: Call, row: Row) -> Row:
    taken = {kept["uid"] for kept in USER.kept(call.appliance).values()}
    row["uid"] = row["uid"] or next(uid for uid in range(_FIRST_ID, _FIRST_ID + len(taken) + 1) if uid not in taken)
    group = GROUP.kept(call.appliance).get(row["group"].get("id"), {"id": row["id"], "gid": row["uid"]})
    name = group.get("group", row["username"])
    return row | {"group": {"id": group["id"], "bsdgrp_gid": group["gid"], "bsdgrp_group": name}}


def account_of(call: Call, username: str) -> User:
    """The account of a user, made after his row when he has none yet: whoever has no rights does not come in."""
    users = call.appliance.accounts.users
    if username not in users:
        row = next((row for row in USER.kept(call.appliance).values() if row["username"] == username), None)
        roles = FULL_ADMIN if row is None else frozenset(row["roles"])
        users[username] = User(username, roles)
    return users[username]


def _with_account(method: Method, then: Callable[[Call, Any], None]) -> Method:
    """The method, followed by what it means for who may come in."""

    def run(call: Call) -> Any:
        before = USER.kept(call.appliance).get(call.arguments.get("id"))
        result = method.run(call)
        then(call, before if method.kind is not Kind.CREATE else result)
        return USER.shown(call, USER.one(call, result["id"])) if isinstance(result, dict) else result

    return replace(method, run=run)


def _account_made(call: Call, row: Mapping[str, Any]) -> None:
    _keep_account(call, row["id"], call.arguments["user_create"])


def _account_changed(call: Call, before: Mapping[str, Any]) -> None:
    row = USER.one(call, before["id"])
    if row["username"] != before["username"]:
        call.appliance.accounts.rename_user(before["username"], row["username"])
    _keep_account(call, before["id"], call.arguments["user_update"])


def _account_gone(call: Call, before: Mapping[str, Any]) -> None:
    call.appliance.accounts.delete_user(before["username"])
    call.appliance.change()


def _keep_account(call: Call, number: int, given: Mapping[str, Any]) -> None:
    """Let a user come in as his row says. Only members of the administrators' group have rights."""
    row = USER.one(call, number)
    if {"group", "groups"} & given.keys():
        mine = {row["group"].get("id"), *row["groups"]}
        named = {group.get("name") for key, group in GROUP.kept(call.appliance).items() if key in mine}
        roles = FULL_ADMIN if _ADMINISTRATORS in named else frozenset()
        call.appliance.change_row(USER.kept_at, number, roles=sorted(roles))
        account_of(call, row["username"]).roles = roles
    user = account_of(call, row["username"])
    user.locked = bool(row["locked"])
    if row["password_disabled"] or "password" in given:
        user.password = None if row["password_disabled"] else given["password"]


def _not_builtin(call: Call, row: Mapping[str, Any]) -> None:
    del call
    if row.get("builtin") or row.get("immutable"):
        raise CallError("Cannot delete a built-in account", errno.EINVAL)


def _sound_group(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    rows = GROUP.kept(call.appliance)
    if any(row["name"] == given.get("name") and number != key for number, row in rows.items()):
        yield "name", f"A Group with the name {given['name']!r} already exists.", errno.EEXIST
    for user in given.get("users", []):
        if user not in USER.kept(call.appliance):
            yield "users", f"User {user} does not exist", errno.ENOENT


def _group_made(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Row:
    del kept
    return {**given, **({"group": given["name"]} if "name" in given else {})}


def _complete_group(call: Call, row: Row) -> Row:
    taken = {kept["gid"] for kept in GROUP.kept(call.appliance).values()}
    free = next(gid for gid in range(_FIRST_ID, _FIRST_ID + len(taken) + 1) if gid not in taken)
    return row | {"gid": row["gid"] or free}


def _privileges(call: Call) -> list[Row]:
    admins = [row for row in GROUP.kept(call.appliance).values() if row["name"] == _ADMINISTRATORS]
    groups = [{name: row[name] for name in ("id", "gid", "name", "group")} for row in admins]
    names = (("LOCAL_ADMINISTRATOR", "Local Administrator", "FULL_ADMIN"), ("READONLY_ADMINISTRATOR",) * 2)
    shown = []
    for number, (builtin, *words) in enumerate((*names, ("SHARING_ADMINISTRATOR", "Share Administrator")), 1):
        role = {1: "FULL_ADMIN", 2: "READONLY_ADMIN", 3: "SHARING_ADMIN"}[number]
        row = {
            "id": number,
            "builtin_name": builtin,
            "name": words[0],
            "local_groups": groups if number == 1 else [],
            "ds_groups": [],
            "allowlist": [{"method": "*", "resource": "*"}] if number == 1 else [],
            "roles": [role],
            "web_shell": number == 1,
        }
        shown.append(call.dialect.shaped("privilege", row))
    return shown


def _set_up(_: Call) -> None:
    raise CallError("Local administrator is already set up", errno.EEXIST)


_Name = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\$?$")]
_Number = Annotated[int, Field(ge=0, le=2_147_483_647)]
_USER_FORM: Final = Writing(
    "user",
    fields_of(
        USER.blank,
        "unixhash smbhash builtin immutable local sid roles api_keys twofactor_auth_configured id_type_both "
        "last_password_change password_age password_history password_change_required",
        uid=_Number | None,
        username=_Name,
        password=str | None,
        group=_Number | None,
        group_create=bool,
        groups=list[_Number],
        userns_idmap=Literal["DIRECT"] | _Number | None,
        sshpubkey=str | None,
        email=str | None,
        sudo_commands=list[str],
        sudo_commands_nopasswd=list[str],
    ),
    frozenset({"username", "full_name"}),
    newest=_user_made,
    check=_sound_user,
    fixed=frozenset({"uid", "group_create"}),
)
_GROUP_FORM: Final = Writing(
    "group",
    fields_of(
        GROUP.blank,
        "group builtin id_type_both local sid roles",
        gid=_Number | None,
        name=_Name,
        users=list[_Number],
        userns_idmap=Literal["DIRECT"] | _Number | None,
        sudo_commands=list[str],
        sudo_commands_nopasswd=list[str],
    ),
    frozenset({"name"}),
    newest=_group_made,
    check=_sound_group,
    fixed=frozenset({"gid"}),
)


_USERS: Final = Method("user.query", "Users", _users, kind=Kind.QUERY, roles=readers(_ROLES), filterable=True)
_OPTIONS: Final = Param("options", dict[str, bool], {})
_CREATE, _UPDATE, _DELETE = crud(USER, _USER_FORM, extras=Extras(_ROLES, (_OPTIONS,), _complete_user, _not_builtin))[1:]

METHODS: Final[tuple[Method, ...]] = (
    _USERS,
    _with_account(_CREATE, _account_made),
    _with_account(_UPDATE, _account_changed),
    _with_account(_DELETE, _account_gone),
    constant("user.has_local_administrator_set_up", "Whether somebody can log in", value=True, access=Access.OPEN),
    Method(
        "user.setup_local_administrator",
        "Make the first administrator",
        _set_up,
        (
            Param("username", Literal["root", "truenas_admin"]),
            Param("password", str),
            Param("options", dict[str, Any], {}),
        ),
        access=Access.OPEN,
    ),
    constant(
        "user.shell_choices", "Shells", {"/usr/bin/zsh": "zsh", "/usr/bin/bash": "bash"}, Param("ids", list[int], [])
    ),
    *crud(GROUP, _GROUP_FORM, extras=Extras(_ROLES, (_OPTIONS,), _complete_group, _not_builtin)),
    Method("privilege.query", "Privileges", _privileges, kind=Kind.QUERY, filterable=True, moving="never"),
)
