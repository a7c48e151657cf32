"""What is asked of an appliance to record it, as a table; every request reads, none changes anything. Knows no network.

The names are those of JSON-RPC; over REST a query is ``GET`` on the path of its service (truenas-api 2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mock_truenas.appliance.dialect import Dialect


@dataclass(frozen=True)
class Question:
    """One call. ``extra`` goes into query-options; with ``body`` it is a POST over REST."""

    method: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    shape: Literal["object", "rows", "value"] = "rows"
    limit: int | None = None

    @property
    def rest_path(self) -> str:
        """Below /api/v2.0."""
        return "/" + self.method.removesuffix(".query").replace(".", "/")

    def rpc_params(self) -> list[Any]:
        """Positional arguments over JSON-RPC."""
        if not self.method.endswith(".query"):
            return [] if self.body is None else list(self.body.values())
        options: dict[str, Any] = {"extra": dict(self.extra)} if self.extra else {}
        if self.limit is not None:
            options["limit"] = self.limit
        return [[], options] if options else []

    def rest_query(self) -> dict[str, str]:
        """The query string over REST."""
        query = {f"extra.{name}": str(value).lower() for name, value in self.extra.items()}
        return query if self.limit is None else {**query, "limit": str(self.limit)}


TABLES: Final = (
    "service",
    "interface",
    "app",
    "vm",
    "virt.instance",
    "container",
    "sharing.smb",
    "sharing.nfs",
    "iscsi.target",
    "iscsi.extent",
    "iscsi.targetextent",
    "iscsi.portal",
    "iscsi.initiator",
    "iscsi.auth",
    "replication",
    "pool.snapshottask",
    "pool.scrub",
    "user",
    "group",
    "certificate",
)
"""Peripheral tables of the appliance, each with a query of that name."""
_ALWAYS: Final = (
    Question("system.info", shape="object"),
    Question("system.host_id", shape="value"),
    Question("system.boot_id", shape="value"),
    Question("pool.query"),
    Question("boot.get_state", shape="object"),
    # Nested: flat, every dataset would come once for each of its ancestors as well.
    Question("pool.dataset.query", {"flat": False}),
    Question("disk.query", {"pools": True}),
    Question("alert.list"),
)


def questions(dialect: Dialect, snapshots: int) -> tuple[Question, ...]:
    """What that version can be asked, with at most so many snapshots."""
    name = "pool.snapshot.query" if dialect.serves("pool.snapshot.query") else "zfs.snapshot.query"
    names = "name" if dialect.has("thresholds_of_disks") else "names"
    asked = [*_ALWAYS, Question("disk.temperatures", body={names: []}, shape="object")]
    asked += [Question(f"{table}.query") for table in TABLES]
    if snapshots:
        asked.append(Question(name, {"holds": True}, limit=snapshots))
    return tuple(question for question in asked if dialect.serves(question.method))
