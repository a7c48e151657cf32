"""Tasks that run by the clock: periodic snapshots, replications, scheduled scrubs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mock_truenas.appliance import draws, snapshots, tables
from mock_truenas.appliance.cron import due_after
from mock_truenas.appliance.jobs import Job, Jobs
from mock_truenas.appliance.living import Living
from mock_truenas.appliance.model import Alert, Row, State, Tables

SCRUB_BYTES_PER_S: Final = 500_000_000
"""How fast a scheduled scrub reads."""
_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 86_400_000_000_000
_NOTHING: Final[Mapping[Any, Row]] = {}


@dataclass(frozen=True)
class _Copying:
    """The plan of a replication's job."""

    takes_ns: int
    result: Callable[[Any], Any]
    description: str
    steps: tuple[tuple[float, str], ...] = ((0.0, "Preparing"), (0.1, "Sending"), (0.95, "Finishing"))
    abortable: bool = True


class Tasks:
    """The tasks of one appliance, each entered in the schedule for its next run."""

    def __init__(self, appliance: Living, jobs: Jobs) -> None:
        self._appliance = appliance
        self._jobs = jobs
        self._runs: Mapping[str, Callable[[Any, int], None]] = {
            "pool.snapshottask": self._take_snapshots,
            "replication": self._replicate,
            "pool.scrub": self._scrub,
        }
        self._entered: dict[str, dict[Any, tuple[Any, ...]]] = {name: {} for name in self._runs}

    def begin(self, now_ns: int) -> None:
        """Enter every task."""
        for table in self._runs:
            self.follow(table, now_ns)

    def follow(self, table: str, now_ns: int) -> None:
        """Enter the tasks of a table that are new, or are to run at other times than before; forget those deleted."""
        rows = self._appliance.base.tables.get(table, _NOTHING)
        entered = self._entered[table]
        for key in [key for key in entered if key not in rows]:
            del entered[key]
            self._appliance.schedule.cancel(f"{table} {key}")
        for key, row in rows.items():
            times = (row.get("enabled"), row.get("auto"), row.get("schedule"))
            if entered.get(key) != times:
                entered[key] = times
                self._enter(table, key, now_ns)

    def follow_changes(self, before: Tables, after: Tables, now_ns: int) -> None:
        """Enter anew the tasks of those tables that differ."""
        for table in self._runs:
            if before.get(table) is not after.get(table):
                self.follow(table, now_ns)

    def _enter(self, table: str, key: Any, now_ns: int) -> None:
        row = self._appliance.base.tables[table][key]
        due_ns = due_after(row["schedule"], now_ns) if row.get("enabled") and row.get("schedule") else None
        if due_ns is None or row.get("auto") is False:
            self._appliance.schedule.cancel(f"{table} {key}")
            return
        run = self._runs[table]

        def happen(at_ns: int) -> None:
            self._enter(table, key, self._appliance.from_ns(at_ns))
            if self._appliance.is_up:
                run(key, at_ns)

        self._appliance.schedule.at(due_ns, f"{table} {key}", happen)

    # -- snapshots -------------------------------------------------------------------------------------------------

    def _take_snapshots(self, key: Any, at_ns: int) -> None:
        appliance = self._appliance
        base, row = appliance.base, appliance.base.tables["pool.snapshottask"][key]
        names = snapshots.covered(row, base.datasets)
        names = [name for name in names if _writable(appliance.state, base.datasets[name].pool)]
        made = snapshots.taken(row, base.datasets, names, at_ns, appliance.seed)
        state = {"state": "FINISHED", "datetime": _date(at_ns)} if names else {"state": "ERROR", **_gone(row, at_ns)}
        changed, _ = tables.changed(base.tables, "pool.snapshottask", key, {"state": state})
        appliance.change(snapshots={**snapshots.kept(base.snapshots, at_ns), **made}, tables=changed)

    def take_snapshots(self, key: Any) -> None:
        """Run a periodic snapshot task now. Raises KeyError."""
        self._take_snapshots(key, self._appliance.now_ns())

    # -- replication -----------------------------------------------------------------------------------------------

    def _replicate(self, key: Any, at_ns: int) -> None:
        row = self._appliance.base.tables["replication"][key]
        if (row.get("state") or {}).get("state") == "RUNNING":
            return
        minutes = 2 + draws.number(self._appliance.seed, "replication", key, at_ns) % 9
        plan = _Copying(minutes * _MINUTE_NS, lambda _: self._copied(key), f"Replicate {row.get('name')}")
        self._set(key, {"state": "RUNNING", "datetime": _date(at_ns)})
        job = self._jobs.start("replication.run", [key], plan, ended=lambda job: self._end(key, job))
        self._set(key, {"state": "RUNNING", "datetime": _date(at_ns)}, job=job.id)

    def _copied(self, key: Any) -> None:
        row, state = self._appliance.base.tables["replication"][key], self._appliance.state
        for place in (*row["source_datasets"], row["target_dataset"]):
            if not _writable(state, place.partition("/")[0]):
                raise OSError(f"cannot open '{place}': pool I/O is currently suspended or the pool is not imported")

    def _end(self, key: Any, job: Job) -> None:
        if key not in self._appliance.base.tables.get("replication", _NOTHING):
            return
        at_ns = job.finished_at_ns or self._appliance.now_ns()
        if job.state == "SUCCESS":
            state = {"state": "FINISHED", "datetime": _date(at_ns), "last_snapshot": self.latest(key)}
            self._tell_of_success(key, at_ns)
        else:
            error = job.error or "The replication was aborted."
            state = {"state": "ERROR", "datetime": _date(at_ns), "error": error}
        self._set(key, state, job=job.id)

    def _tell_of_success(self, key: Any, at_ns: int) -> None:
        """The alert of a success, one for each task: a later one is the same again, dismissed if that was."""
        base = self._appliance.base
        name = base.tables["replication"][key].get("name")
        for alert in base.alerts.values():
            if alert.klass == "ReplicationSuccess" and isinstance(alert.args, Mapping) and alert.args["name"] == name:
                self._appliance.raise_alert(replace(alert, last_at_ns=at_ns))
                return
        self._appliance.raise_alert(
            Alert(
                uuid=self._appliance.new_uuid("ReplicationSuccess", key, at_ns),
                klass="ReplicationSuccess",
                level="INFO",
                text='Replication "%(name)s" succeeded.',
                raised_at_ns=at_ns,
                args={"name": name},
                key=f"[{key}]",
                one_shot=True,
            )
        )

    def latest(self, key: Any) -> str | None:
        """The newest snapshot of a replication's sources. Raises KeyError."""
        row = self._appliance.base.tables["replication"][key]
        sources = set(row["source_datasets"])
        ours = [one for one in self._appliance.base.snapshots.values() if one.dataset in sources]
        newest = max(ours, key=lambda one: (one.created_at_ns, one.name), default=None)
        return newest.name if newest is not None else None

    def forget_running(self) -> None:
        """Those that run do so no more, as after a reboot."""
        for key, row in self._appliance.base.tables.get("replication", _NOTHING).items():
            if (row.get("state") or {}).get("state") == "RUNNING":
                self._set(key, {"state": "PENDING"}, job=None)
        # Apps that a job was starting or stopping come up as they were: with their containers, or without.
        for key, row in self._appliance.base.tables.get("app", _NOTHING).items():
            if row.get("state") in ("DEPLOYING", "STOPPING"):
                up = (row.get("active_workloads") or {}).get("containers")
                self._appliance.change_row("app", key, state="RUNNING" if up else "STOPPED")

    def _set(self, key: Any, state: Mapping[str, Any], **fields: Any) -> None:
        base = self._appliance.base
        changed, _ = tables.changed(base.tables, "replication", key, {"state": state, **fields})
        self._appliance.change(tables=changed)

    # -- scrubs ----------------------------------------------------------------------------------------------------

    def _scrub(self, key: Any, at_ns: int) -> None:
        appliance = self._appliance
        row = appliance.base.tables["pool.scrub"][key]
        pool = next((pool for pool in appliance.base.pools.values() if pool.id == row.get("pool")), None)
        if pool is None or not _writable(appliance.state, pool.name):
            return
        scan, rests_ns = pool.scan, int(row.get("threshold", 35)) * _DAY_NS
        # As the appliance does: a scrub that ended after the threshold's midnight lets this one be.
        if scan is not None and (scan.runs_at(at_ns) or (scan.ends_at_ns or 0) > at_ns - rests_ns):
            return
        appliance.start_scrub(pool.name, pool.allocated * 1_000_000_000 // SCRUB_BYTES_PER_S)


def _writable(state: State, pool: str) -> bool:
    known = state.pools.get(pool)
    return known is not None and known.status in ("ONLINE", "DEGRADED")


def _date(at_ns: int) -> dict[str, int]:
    return {"$date": at_ns // 1_000_000_000 * 1000}


def _gone(row: Row, at_ns: int) -> dict[str, Any]:
    return {"datetime": _date(at_ns), "error": f"Dataset {row.get('dataset')!r} does not exist"}
