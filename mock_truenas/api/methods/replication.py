"""``replication.*`` and the other tasks that copy data or run by the clock (truenas-api 3.8)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError
from mock_truenas.api.methods import jobs
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.snapshottask import SCHEDULE, Schedule
from mock_truenas.api.methods.tables import Extras, Row, Table, Writing, crud, fields_of, job, readers, reading, writing
from mock_truenas.api.resources.moment import date
from mock_truenas.appliance.nas import Appliance

_ROLES: Final = frozenset({"REPLICATION_ADMIN", "REPLICATION_TASK_WRITE"})
_NotEmpty: Final = Annotated[str, Field(min_length=1)]

TABLE: Final = Table(
    "replication",
    "Replication task",
    {
        "id": 0,
        "name": "",
        "direction": "PUSH",
        "transport": "LOCAL",
        "ssh_credentials": None,
        "netcat_active_side": None,
        "netcat_active_side_listen_address": None,
        "netcat_active_side_port_min": None,
        "netcat_active_side_port_max": None,
        "netcat_passive_side_connect_address": None,
        "sudo": False,
        "source_datasets": [],
        "target_dataset": "",
        "recursive": False,
        "exclude": [],
        "properties": True,
        "properties_exclude": [],
        "properties_override": {},
        "replicate": False,
        "encryption": False,
        "encryption_inherit": None,
        "encryption_key": None,
        "encryption_key_format": None,
        "encryption_key_location": None,
        "periodic_snapshot_tasks": [],
        "naming_schema": [],
        "also_include_naming_schema": [],
        "name_regex": None,
        "auto": True,
        "schedule": None,
        "restrict_schedule": None,
        "only_matching_schedule": False,
        "allow_from_scratch": False,
        "readonly": "SET",
        "hold_pending_snapshots": False,
        "retention_policy": "SOURCE",
        "lifetime_value": None,
        "lifetime_unit": None,
        "lifetimes": [],
        "compression": None,
        "speed_limit": None,
        "large_block": True,
        "embed": False,
        "compressed": True,
        "retries": 5,
        "logging_level": None,
        "enabled": True,
        "state": {"state": "PENDING"},
        "job": None,
        "has_encrypted_dataset_keys": False,
    },
    secrets=frozenset({"encryption_key"}),
)
_TASK: Final = {
    "id": 0,
    "description": "",
    "enabled": True,
    "schedule": SCHEDULE,
    "job": None,
    "locked": False,
}
CLOUDSYNC: Final = Table(
    "cloudsync",
    "Cloud sync task",
    {
        **_TASK,
        "path": "",
        "attributes": {},
        "pre_script": "",
        "post_script": "",
        "snapshot": False,
        "include": [],
        "exclude": [],
        "args": "",
        "direction": "PUSH",
        "transfer_mode": "COPY",
        "encryption": False,
        "filename_encryption": False,
        "encryption_password": "",
        "encryption_salt": "",
        "create_empty_src_dirs": False,
        "follow_symlinks": False,
        "transfers": None,
        "bwlimit": [],
        "credentials": {},
    },
    secrets=frozenset({"encryption_password", "encryption_salt"}),
)
RSYNC: Final = Table(
    "rsynctask",
    "Rsync task",
    {
        "id": 0,
        "path": "",
        "user": "root",
        "mode": "MODULE",
        "remotehost": None,
        "remoteport": None,
        "remotemodule": None,
        "ssh_credentials": None,
        "remotepath": "",
        "direction": "PUSH",
        "desc": "",
        "schedule": SCHEDULE,
        "recursive": True,
        "times": True,
        "compress": True,
        "archive": False,
        "delete": False,
        "quiet": False,
        "preserveperm": False,
        "preserveattr": False,
        "delayupdates": True,
        "extra": [],
        "enabled": True,
        "locked": False,
        "job": None,
    },
)
CRON: Final = Table(
    "cronjob",
    "Cron job",
    {
        "id": 0,
        "user": "root",
        "command": "",
        "description": "",
        "enabled": True,
        "stdout": True,
        "stderr": False,
        "schedule": SCHEDULE,
    },
)
_CREDENTIALS: Final = Table(
    "cloudsync.credentials", "Cloud credential", {"id": 0, "name": "", "provider": {"type": "S3"}}
)
_KEYCHAIN: Final = Table(
    "keychaincredential",
    "Keychain credential",
    {"id": 0, "name": "", "type": "SSH_KEY_PAIR", "attributes": {}},
)
_CLOUD_BACKUP: Final = Table("cloud_backup", "Cloud backup", {**_TASK, "path": "", "keep_last": 1, "snapshot": False})


def _rows(call: Call) -> list[Row]:
    """Rows, each with the newest job that ran it as long as that is remembered."""
    ran = {job.arguments[0]: job for job in call.appliance.jobs.all() if job.method == "replication.run"}
    rows = TABLE.all(call)
    for row in rows:
        row["job"] = jobs.row(ran[row["id"]], call.dialect) if row["id"] in ran else None
    return rows


def _replicate(call: Call) -> JobPlan:
    row = TABLE.one(call, call.arguments["id"])
    key = row["id"]
    if not row.get("enabled", True):
        raise CallError("Task is not enabled")

    def finish(appliance: Appliance) -> None:
        if key not in TABLE.kept(appliance):
            raise CallError(f"Replication task {key} was deleted while it ran")
        newest = appliance.latest_snapshot(key)
        state = {"state": "FINISHED", "datetime": date(appliance.now_ns()), "last_snapshot": newest}
        appliance.change_row("replication", key, state=state)

    running = {"state": "RUNNING", "datetime": date(call.appliance.now_ns())}
    call.appliance.change_row("replication", key, state=running)
    return job(30, finish, f"Replicate {row.get('name', '')}", "Sending", "Receiving")


def _later(table: Table, takes_s: float) -> Any:
    def run(call: Call) -> JobPlan:
        row = table.one(call, call.arguments["id"])

        def finish(appliance: Appliance) -> None:
            if row["id"] not in table.kept(appliance):
                raise CallError(f"{table.word} {row['id']} was deleted while it ran")

        return job(takes_s, finish, f"{table.word} {row['id']}", abortable=True)

    return run


def _action(name: str, doc: str, run: Any, *more: Param) -> Method:
    return Method(name, doc, run, (Param("id", int), *more), access=Access.WRITE, roles=_ROLES, item=True, job=True)


def _whole_schedule(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Row:
    """A schedule given in part keeps the rest, or gets it: rows without one have none to merge with."""
    row = dict(given)
    for name in ("schedule", "restrict_schedule"):
        if row.get(name) is not None:
            row[name] = {**SCHEDULE, **(kept.get(name) or {}), **row[name]}
    return row


_FORM: Final = Writing(
    "replication",
    fields_of(
        TABLE.blank,
        "state job has_encrypted_dataset_keys",
        name=_NotEmpty,
        direction=Literal["PUSH", "PULL"],
        transport=Literal["SSH", "SSH+NETCAT", "LOCAL"],
        source_datasets=Annotated[list[str], Field(min_length=1)],
        target_dataset=_NotEmpty,
        readonly=Literal["SET", "REQUIRE", "IGNORE"],
        retention_policy=Literal["SOURCE", "CUSTOM", "NONE"],
        lifetime_value=Annotated[int, Field(ge=1)] | None,
        lifetime_unit=Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"] | None,
        schedule=Schedule | None,
        restrict_schedule=Schedule | None,
        ssh_credentials=int | None,
        periodic_snapshot_tasks=list[int],
        compression=Literal["LZ4", "PIGZ", "PLZIP"] | None,
        speed_limit=int | None,
        retries=Annotated[int, Field(ge=1)],
    ),
    frozenset(
        {"name", "direction", "transport", "source_datasets", "target_dataset", "recursive", "auto", "retention_policy"}
    ),
    newest=_whole_schedule,
)
_SCHEDULED: Final[Mapping[str, Any]] = {"schedule": Schedule}

METHODS: Final[tuple[Method, ...]] = (
    Method("replication.query", "Replication tasks", _rows, kind=Kind.QUERY, roles=readers(_ROLES), filterable=True),
    *writing(TABLE, _FORM, extras=Extras(_ROLES)),
    _action("replication.run", "Run a replication task now", _replicate, Param("really_run", bool, default=True)),
    *reading(CLOUDSYNC),
    _action("cloudsync.sync", "Run a cloud sync task now", _later(CLOUDSYNC, 60), Param("options", dict[str, Any], {})),
    *reading(_CREDENTIALS),
    *crud(
        RSYNC,
        Writing("rsync_task", fields_of(RSYNC.blank, "locked job", **_SCHEDULED), frozenset({"path", "user"})),
    ),
    _action("rsynctask.run", "Run an rsync task now", _later(RSYNC, 30)),
    *crud(CRON, Writing("cron_job", fields_of(CRON.blank, **_SCHEDULED), frozenset({"command", "user"}))),
    _action("cronjob.run", "Run a cron job now", _later(CRON, 5), Param("skip_disabled", bool, default=False)),
    *reading(_KEYCHAIN),
    *reading(_CLOUD_BACKUP),
)
