"""``pool.snapshottask.*``: when snapshots are taken by themselves (truenas-api 3.8)."""

import errno
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import Problem
from mock_truenas.api.methods.method import Access, Call, Method, Param
from mock_truenas.api.methods.tables import Extras, Table, Writing, constant, crud, fields_of, given_object

SCHEDULE: Final = {"minute": "00", "hour": "*", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}
_ROLES: Final = frozenset({"SNAPSHOT_TASK_WRITE", "REPLICATION_ADMIN"})

TABLE: Final = Table(
    "pool.snapshottask",
    "Periodic snapshot task",
    {
        "id": 0,
        "dataset": "",
        "recursive": False,
        "lifetime_value": 2,
        "lifetime_unit": "WEEK",
        "enabled": True,
        "exclude": [],
        "naming_schema": "auto-%Y-%m-%d_%H-%M",
        "allow_empty": True,
        "schedule": SCHEDULE,
        "vmware_sync": False,
        "state": {"state": "PENDING"},
    },
)
_PART: Final = r"(\*|[0-9a-z]{1,3}(-[0-9a-z]{1,3})?)(/[0-9]{1,3})?"
_Step = Annotated[str, Field(max_length=200, pattern=rf"^{_PART}(,{_PART})*$")]
_ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
# What every scheduled task takes; fields that are left out keep their value.
Schedule = given_object(
    "schedule",
    {**dict.fromkeys(("minute", "hour", "dom", "month", "dow"), _Step), "begin": _ClockTime, "end": _ClockTime},
    (),
    SCHEDULE,
)


def _sound(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    del key
    dataset = given.get("dataset")
    if dataset is not None and dataset not in call.appliance.state.datasets:
        yield "dataset", "Dataset not found", errno.ENOENT
    for excluded in given.get("exclude", []):
        if dataset is not None and not excluded.startswith(f"{dataset}/"):
            yield "exclude", f"Excluded dataset {excluded} is not a child of {dataset}", errno.EINVAL
    schema = given.get("naming_schema")
    if schema is not None and "%Y" not in schema and "%s" not in schema:
        yield "naming_schema", "Naming schema must contain %Y, %m, %d, %H and %M or %s", errno.EINVAL


def _run(call: Call) -> None:
    call.appliance.take_snapshots(TABLE.one(call, call.arguments["id"])["id"])


METHODS: Final[tuple[Method, ...]] = (
    *crud(
        TABLE,
        Writing(
            "periodic_snapshot",
            fields_of(
                TABLE.blank,
                "state vmware_sync",
                dataset=Annotated[str, Field(min_length=1)],
                lifetime_value=Annotated[int, Field(ge=1, le=9999)],
                lifetime_unit=Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"],
                exclude=list[str],
                schedule=Schedule,
                naming_schema=Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9 _.:%-]+$")],
            ),
            frozenset({"dataset"}),
            check=_sound,
        ),
        extras=Extras(_ROLES, (Param("options", dict[str, Any], {}),)),
    ),
    Method(
        "pool.snapshottask.run",
        "Take the snapshots of a task now",
        _run,
        (Param("id", int),),
        access=Access.WRITE,
        roles=_ROLES,
        item=True,
    ),
    constant("pool.snapshottask.max_count", "Snapshots of one dataset beyond which the appliance warns", 512),
    constant("pool.snapshottask.max_total_count", "Snapshots beyond which the appliance warns", 10_000),
)
