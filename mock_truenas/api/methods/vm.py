"""``vm.*``: virtual machines and what they are made of (truenas-api 3.8)."""

import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import Extras, Row, Table, Writing, constant, crud, fields_of, job
from mock_truenas.appliance.nas import Appliance
from mock_truenas.appliance.workloads import NEW_VM, VM_STOPPED

_MIB: Final = 1024**2
_FIRST_PID: Final = 4200
_ROLES: Final = frozenset({"VM_WRITE"})

TABLE: Final = Table("vm", "VM", NEW_VM)


def _sound(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    name = given.get("name")
    if any(row["name"] == name and number != key for number, row in TABLE.kept(call.appliance).items()):
        yield "name", "This name already exists.", errno.EEXIST
    memory = given.get("memory", 0)
    if memory * _MIB > call.appliance.state.host.memory:
        yield "memory", "The system does not have that much memory", errno.EINVAL
    least = given.get("min_memory")
    if least is not None and least > given.get("memory", least):
        yield "min_memory", "Minimum memory should not be greater than defined memory", errno.EINVAL


def _complete(call: Call, row: Row) -> Row:
    row["uuid"] = row["uuid"] or call.appliance.new_uuid("vm", row["id"], row["name"])
    return row | {"status": VM_STOPPED, "devices": []}


def _state(row: Mapping[str, Any]) -> str:
    return str(row.get("status", VM_STOPPED)["state"])


def _set(appliance: Appliance, key: Any, state: str) -> None:
    """Bring a machine that is still there into a state."""
    row = TABLE.kept(appliance).get(key)
    if row is None or _state(row) == state:
        return
    pid = None if state == "STOPPED" else row.get("status", VM_STOPPED)["pid"] or _FIRST_PID + int(key)
    domain = {"STOPPED": "SHUTOFF", "SUSPENDED": "PAUSED"}.get(state, state)
    appliance.change_row("vm", key, status={"state": state, "pid": pid, "domain_state": domain})


def _must_be(row: Mapping[str, Any], *states: str) -> None:
    if _state(row) not in states:
        raise CallError(f"VM state is currently not {' or '.join(states)}", errno.EFAULT)


def _at_once(state: str, *only_from: str) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        row = TABLE.one(call, call.arguments["id"])
        _must_be(row, *only_from)
        _set(call.appliance, row["id"], state)

    return run


def _start(call: Call) -> None:
    row = TABLE.one(call, call.arguments["id"])
    if _state(row) == "RUNNING":
        raise CallError(f"VM {row['name']!r} is already running", errno.EFAULT)
    overcommit = call.arguments["options"].get("overcommit", False)
    if not overcommit and row.get("memory", 0) * _MIB > _free_memory(call):
        raise CallError("Cannot guarantee memory for guest", errno.ENOMEM)
    _set(call.appliance, row["id"], "RUNNING")


def _stop(call: Call) -> JobPlan:
    row = TABLE.one(call, call.arguments["id"])
    _must_be(row, "RUNNING", "SUSPENDED")
    options = call.arguments["options"]
    forced = options.get("force", False)

    def finish(appliance: Appliance) -> None:
        _set(appliance, row["id"], "STOPPED")

    return job(1 if forced else 15, finish, f"Stopping {row['name']}")


def _restart(call: Call) -> JobPlan:
    row = TABLE.one(call, call.arguments["id"])
    _must_be(row, "RUNNING", "SUSPENDED")
    _set(call.appliance, row["id"], "STOPPED")
    return job(20, lambda appliance: _set(appliance, row["id"], "RUNNING"), f"Restarting {row['name']}")


def _status(call: Call) -> Row:
    return dict(TABLE.one(call, call.arguments["id"]).get("status", VM_STOPPED))


def _may_go(call: Call, row: Mapping[str, Any]) -> None:
    if _state(row) != "STOPPED" and not call.arguments["options"].get("force", False):
        raise CallError(f"VM {row['name']!r} is running, stop it first", errno.EBUSY)


def _used_memory(call: Call) -> int:
    rows = TABLE.kept(call.appliance).values()
    return sum(row.get("memory", 0) * _MIB for row in rows if _state(row) != "STOPPED")


def _free_memory(call: Call) -> int:
    # A NAS keeps something for itself, however much its machines would like.
    return max(0, call.appliance.state.host.memory * 9 // 10 - _used_memory(call))


def _memory_in_use(call: Call) -> Row:
    rows = TABLE.kept(call.appliance).values()
    running = sum(row.get("memory", 0) * _MIB for row in rows if _state(row) == "RUNNING")
    return {"RNP": 0, "PRD": 0, "RPRD": running}


def _devices(call: Call) -> list[Row]:
    return [dict(device) for row in TABLE.kept(call.appliance).values() for device in row.get("devices", [])]


def _of_one(name: str, doc: str, run: Any, *more: Param, **given: Any) -> Method:
    return Method(name, doc, run, (Param("id", int), *more), access=Access.WRITE, roles=_ROLES, item=True, **given)


_OPTIONS: Final = Param("options", dict[str, bool], {})
_Count = Annotated[int, Field(ge=1, le=1024)]
_FORM: Final = Writing(
    "vm",
    fields_of(
        TABLE.blank,
        "devices display_available status",
        name=Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[A-Za-z_0-9]+$")],
        vcpus=_Count,
        cores=_Count,
        threads=_Count,
        memory=Annotated[int, Field(ge=20)],
        min_memory=Annotated[int, Field(ge=20)] | None,
        bootloader=Literal["UEFI_CSM", "UEFI"],
        time=Literal["LOCAL", "UTC"],
        shutdown_timeout=Annotated[int, Field(ge=5, le=300)],
        cpu_mode=Literal["CUSTOM", "HOST-MODEL", "HOST-PASSTHROUGH"],
        cpuset=str | None,
        nodeset=str | None,
        cpu_model=str | None,
        arch_type=str | None,
        machine_type=str | None,
        uuid=str | None,
    ),
    frozenset({"name", "memory"}),
    check=_sound,
)

METHODS: Final[tuple[Method, ...]] = (
    *crud(TABLE, _FORM, extras=Extras(_ROLES, (_OPTIONS,), _complete, _may_go)),
    Method("vm.status", "Whether a machine runs", _status, (Param("id", int),), item=True, moving="never"),
    _of_one("vm.start", "Start a machine", _start, _OPTIONS),
    _of_one("vm.stop", "Ask a machine to shut down", _stop, _OPTIONS, job=True),
    _of_one("vm.restart", "Stop a machine and start it again", _restart, job=True),
    _of_one("vm.poweroff", "Cut a machine's power", _at_once("STOPPED", "RUNNING", "SUSPENDED")),
    _of_one("vm.suspend", "Suspend a machine", _at_once("SUSPENDED", "RUNNING")),
    _of_one("vm.resume", "Go on with a suspended machine", _at_once("RUNNING", "SUSPENDED")),
    Method("vm.device.query", "Devices of machines", _devices, kind=Kind.QUERY, filterable=True, moving="never"),
    Method("vm.get_memory_usage", "Memory the machines use", _memory_in_use, moving="never"),
    Method(
        "vm.get_available_memory",
        "Bytes a machine could still have",
        _free_memory,
        (Param("overcommit", bool, default=False),),
        moving="never",
    ),
    constant("vm.bootloader_options", "Kinds of firmware", {"UEFI": "UEFI", "UEFI_CSM": "Legacy BIOS"}),
    constant("vm.maximum_supported_vcpus", "Virtual cores a machine can have at most", 255),
    constant("vm.supports_virtualization", "Whether machines can run here", value=True),
    constant("vm.virtualization_details", "Whether machines can run here", {"supported": True, "error": None}),
    constant(
        "vm.flags",
        "What the processor can do for machines",
        {"intel_vmx": True, "unrestricted_guest": True, "amd_rvi": False, "amd_asids": False},
    ),
)
