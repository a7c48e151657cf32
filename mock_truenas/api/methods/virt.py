"""``virt.*`` of 25.04 and 25.10, ``container.*`` of 26: containers of the appliance's own (truenas-api 0, 3.8)."""

import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem, ValidationErrors
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import (
    Extras,
    Row,
    Table,
    Writing,
    config,
    constant,
    crud,
    fields_of,
    given_object,
    job,
    reading,
)
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.workloads import NEW_CONTAINER, VM_STOPPED

_VIRT_ROLES: Final = frozenset({"VIRT_INSTANCE_WRITE"})
_CONTAINER_ROLES: Final = frozenset({"CONTAINER_WRITE"})

INSTANCE: Final = Table(
    "virt.instance",
    "Instance",
    {
        "id": "",
        "name": "",
        "type": "CONTAINER",
        "status": "STOPPED",
        "cpu": None,
        "memory": None,
        "autostart": False,
        "environment": {},
        "aliases": [],
        "image": {
            "architecture": None,
            "description": None,
            "os": None,
            "release": None,
            "serial": None,
            "type": None,
            "variant": None,
            "secureboot": None,
        },
        "userns_idmap": None,
        "raw": None,
        "vnc_enabled": False,
        "vnc_port": None,
        "vnc_password": None,
        "secure_boot": None,
        "privileged_mode": None,
        "root_disk_size": None,
        "root_disk_io_bus": None,
        "storage_pool": None,
    },
    str,
    secrets=frozenset({"vnc_password"}),
)
CONTAINER: Final = Table(
    "container",
    "Container",
    NEW_CONTAINER,
)

# -- instances ---------------------------------------------------------------------------------------------------------


def _instance(call: Call) -> Mapping[str, Any]:
    return INSTANCE.one(call, call.arguments["id"])


def _move(verb: str, takes_s: float, status: str, *only_from: str) -> Callable[[Call], JobPlan]:
    def run(call: Call) -> JobPlan:
        row = _instance(call)
        name, now = row["id"], row.get("status")
        if now not in only_from:
            raise CallError(f"Instance {name} is {str(now).lower()}", errno.EINVAL)

        def finish(appliance: Appliance) -> bool:
            if name not in INSTANCE.kept(appliance):
                raise CallError(f"Instance {name} was deleted meanwhile", errno.ENOENT)
            appliance.change_row("virt.instance", name, status=status)
            return True

        return job(takes_s, finish, f"{verb} instance {name}")

    return run


def _create(call: Call) -> JobPlan:
    given = dict(call.arguments["virt_instance_create"])
    name = given["name"]
    if name in INSTANCE.kept(call.appliance):
        raise ValidationErrors.one("virt_instance_create.name", f"Name {name!r} already exists", errno.EEXIST)
    image = given.pop("image", None) or "debian/bookworm"
    known = {field: value for field, value in given.items() if field in INSTANCE.blank}
    system, _, release = image.partition("/")
    row = {
        **INSTANCE.blank,
        **known,
        "id": name,
        "type": given.get("instance_type", "CONTAINER"),
        "status": "RUNNING",
        "image": {**INSTANCE.blank["image"], "architecture": "amd64", "os": system, "release": release or None},
        "storage_pool": given.get("storage_pool") or next(iter(call.appliance.state.pools), None),
    }

    def finish(appliance: Appliance) -> Row:
        if name in INSTANCE.kept(appliance):
            raise CallError(f"Name {name!r} already exists", errno.EEXIST)
        appliance.insert_row("virt.instance", row, key=name)
        return INSTANCE.shown(call, row)

    return job(15, finish, f"Creating instance {name}", "Fetching image", "Starting")


def _update(call: Call) -> JobPlan:
    name = _instance(call)["id"]

    def finish(appliance: Appliance) -> Row:
        if name not in INSTANCE.kept(appliance):
            raise CallError(f"Instance {name} was deleted meanwhile", errno.ENOENT)
        row = appliance.change_row("virt.instance", name, **call.arguments["virt_instance_update"])
        return INSTANCE.shown(call, row)

    return job(2, finish, f"Updating instance {name}")


def _delete(call: Call) -> JobPlan:
    name = _instance(call)["id"]

    def finish(appliance: Appliance) -> bool:
        if name in INSTANCE.kept(appliance):
            appliance.delete_row("virt.instance", name)
        return True

    return job(5, finish, f"Deleting instance {name}")


# -- containers --------------------------------------------------------------------------------------------------------


def _sound(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    name = given.get("name")
    if any(row["name"] == name and number != key for number, row in CONTAINER.kept(call.appliance).items()):
        yield "name", "Container with this name already exists", errno.EEXIST


def _complete(call: Call, row: Row) -> Row:
    pool = next(iter(call.appliance.state.pools), "tank")
    uuid = call.appliance.new_uuid("container", row["id"], row["name"])
    return row | {"uuid": uuid, "dataset": f"{pool}/.truenas_containers/containers/{row['name']}", "status": VM_STOPPED}


def _set(appliance: Appliance, key: Any, *, running: bool) -> None:
    if key in CONTAINER.kept(appliance):
        alive = {"state": "RUNNING", "pid": 5200 + key, "domain_state": "RUNNING"}
        appliance.change_row("container", key, status=alive if running else VM_STOPPED)


def _start(call: Call) -> None:
    row = CONTAINER.one(call, call.arguments["id"])
    if row.get("status", VM_STOPPED)["state"] == "RUNNING":
        raise CallError(f"Container {row['name']!r} is already running")
    _set(call.appliance, row["id"], running=True)


def _stop(call: Call) -> JobPlan:
    row = CONTAINER.one(call, call.arguments["id"])
    if row.get("status", VM_STOPPED)["state"] != "RUNNING":
        raise CallError(f"Container {row['name']!r} is not running")
    return job(5, lambda appliance: _set(appliance, row["id"], running=False), f"Stopping {row['name']}")


def _may_go(call: Call, row: Mapping[str, Any]) -> None:
    del call
    if row.get("status", VM_STOPPED)["state"] == "RUNNING":
        raise CallError(f"Container {row['name']!r} is running, stop it first", errno.EBUSY)


def _virt(name: str, doc: str, run: Callable[[Call], JobPlan], *accepts: Param, **more: Any) -> Method:
    return Method(f"virt.instance.{name}", doc, run, accepts, access=Access.WRITE, roles=_VIRT_ROLES, job=True, **more)


_ID: Final = Param("id", str)
_STOP_OPTIONS: Final = Param(
    "options", given_object("stop_args", {"timeout": int, "force": bool}, (), {"timeout": -1, "force": False}), {}
)
_CHANGED: Final = {
    "autostart": bool,
    "cpu": str | None,
    "memory": Annotated[int, Field(ge=33_554_432)] | None,
    "environment": dict[str, str],
    "enable_vnc": bool,
    "secure_boot": bool,
}
_NEW: Final = {
    **_CHANGED,
    "name": Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")],
    "image": str,
    "instance_type": Literal["CONTAINER", "VM"],
    "source_type": Literal["IMAGE", "ZVOL", "ISO", "VOLUME"] | None,
    "storage_pool": str | None,
    "root_disk_size": int,
    "privileged_mode": bool,
    "devices": list[dict[str, Any]] | None,
}
_VIRT_BLANK: Final = {**INSTANCE.blank, "image": "", "instance_type": "CONTAINER", "enable_vnc": False, "devices": None}
_UPDATED: Final = {name: kind for name, kind in _CHANGED.items() if name in INSTANCE.blank}

METHODS: Final[tuple[Method, ...]] = (
    *reading(INSTANCE, Extras(_VIRT_ROLES)),
    _virt(
        "create",
        "Create an instance",
        _create,
        Param("virt_instance_create", given_object("virt_instance_create", _NEW, {"name"}, _VIRT_BLANK)),
        kind=Kind.CREATE,
    ),
    _virt(
        "update",
        "Change an instance",
        _update,
        _ID,
        Param("virt_instance_update", given_object("virt_instance_update", _UPDATED, (), INSTANCE.blank), {}),
        kind=Kind.UPDATE,
        item=True,
    ),
    _virt("delete", "Delete an instance", _delete, _ID, kind=Kind.DELETE, item=True),
    _virt("start", "Start an instance", _move("Starting", 3, "RUNNING", "STOPPED", "ERROR"), _ID),
    _virt("stop", "Stop an instance", _move("Stopping", 5, "STOPPED", "RUNNING", "FROZEN"), _ID, _STOP_OPTIONS),
    _virt("restart", "Restart an instance", _move("Restarting", 8, "RUNNING", "RUNNING"), _ID, _STOP_OPTIONS),
    constant(
        "virt.instance.image_choices", "Images an instance can be made of", {}, Param("options", dict[str, Any], {})
    ),
    *config(
        "virt.global",
        {
            "id": 1,
            "pool": None,
            "dataset": None,
            "storage_pools": [],
            "bridge": None,
            "v4_network": None,
            "v6_network": None,
            "state": "INITIALIZED",
        },
        fields={"pool": str | None, "bridge": str | None, "storage_pools": list[str] | None},
    ),
    constant("virt.volume.query", "Volumes of instances", [], filterable=True, kind=Kind.QUERY),
    *crud(
        CONTAINER,
        Writing(
            "container",
            fields_of(
                CONTAINER.blank,
                "uuid dataset devices status",
                name=Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")],
                time=Literal["LOCAL", "UTC"],
                cpuset=str | None,
                initdir=str | None,
                inituser=str | None,
                initgroup=str | None,
                initenv=dict[str, str],
                shutdown_timeout=Annotated[int, Field(ge=5, le=300)],
                capabilities_policy=Literal["DEFAULT", "ALLOW", "DENY"],
                capabilities_state=dict[str, bool],
            ),
            frozenset({"name"}),
            check=_sound,
        ),
        extras=Extras(_CONTAINER_ROLES, complete=_complete, may_go=_may_go),
    ),
    Method(
        "container.start",
        "Start a container",
        _start,
        (Param("id", int),),
        access=Access.WRITE,
        roles=_CONTAINER_ROLES,
        item=True,
    ),
    Method(
        "container.stop",
        "Stop a container",
        _stop,
        (Param("id", int), Param("options", dict[str, bool], {})),
        access=Access.WRITE,
        roles=_CONTAINER_ROLES,
        item=True,
        job=True,
    ),
)
