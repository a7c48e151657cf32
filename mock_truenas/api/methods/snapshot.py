"""``zfs.snapshot.*`` up to 25.04, ``pool.snapshot.*`` since (truenas-api 0, 3.8): one service under two names."""

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from mock_truenas.api.errors import CallError, InstanceNotFound, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import job
from mock_truenas.api.resources import snapshot
from mock_truenas.api.resources.dataset_changes import added, below, is_ending, is_name
from mock_truenas.appliance import draws
from mock_truenas.appliance import snapshots as made
from mock_truenas.appliance.model import Snapshot
from mock_truenas.appliance.nas import Appliance

_WRITE: Final = frozenset({"SNAPSHOT_WRITE"})
_DELETE: Final = frozenset({"SNAPSHOT_DELETE", "SNAPSHOT_WRITE"})
_HOLD: Final = "truenas"


class SnapshotCreate(Given):
    """A snapshot to make; either a name or a schema to make one from."""

    dataset: str
    name: str | None = None
    naming_schema: str | None = None
    recursive: bool = False
    exclude: list[str] = Field(default_factory=list)
    suspend_vms: bool = False
    vmware_sync: bool = False
    properties: dict[str, Any] = Field(default_factory=dict)


class SnapshotUpdate(Given):
    """What of a snapshot to change."""

    user_properties_update: list[dict[str, Any]] = Field(default_factory=list)


class DeleteOptions(Given):
    """How far a deletion goes; ``defer`` waits for holds to end."""

    defer: bool = False
    recursive: bool = False


class Recursive(Given):
    """Whether snapshots of the same name further down are meant too."""

    recursive: bool = False


class Rollback(Given):
    """What a rollback may destroy on its way."""

    recursive: bool = False
    recursive_clones: bool = False
    force: bool = False
    recursive_rollback: bool = False


class Clone(Given):
    """A dataset to make of a snapshot."""

    snapshot: str
    dataset_dst: str
    dataset_properties: dict[str, Any] = Field(default_factory=dict)


class Rename(Given):
    """The new name."""

    new_name: str
    force: bool = False
    recursive: bool = False


class Destroy(Given):
    """Which snapshots of a dataset go."""

    all: bool = True
    recursive: bool = False
    snapshots: list[Any] = Field(default_factory=list)


def _of(call: Call) -> Snapshot:
    name = call.arguments["id"]
    found: Snapshot | None = call.appliance.seen("snapshots", name)
    if found is None:
        raise InstanceNotFound(f"Snapshot {name}")
    return found


def _rows(call: Call) -> Any:
    query = call.query
    if call.extra.get("retention") is True and query is not None:
        fields = {part[0] for part in query.filters if isinstance(part, list | tuple) and len(part) == 3}
        if not fields & {"id", "name"} and not query.options.limit:
            raise CallError("`id` or `limit` is required if `retention` is requested", errno.EINVAL)
    return snapshot.rows(call.appliance, call.extra, call.dialect)


def _create(call: Call) -> Any:
    given: SnapshotCreate = call.arguments["snapshot_create"]
    appliance = call.appliance
    appliance.evolve()
    base, now_ns = appliance.base, appliance.now_ns()
    if (given.name is None) == (given.naming_schema is None):
        raise ValidationErrors.one("snapshot_create.naming_schema", "You must specify either name or naming schema")
    if given.exclude and not given.recursive:
        raise ValidationErrors.one("snapshot_create.exclude", "This option has no sense for non-recursive snapshots")
    if appliance.seen("datasets", given.dataset) is None:
        raise CallError(f"Failed to snapshot {given.dataset}: dataset not found", errno.ENOENT)
    ending = given.name if given.name is not None else made.named(given.naming_schema or "", now_ns)
    if not is_ending(ending):
        raise ValidationErrors.one("snapshot_create.name", "Invalid snapshot name")
    row = {"dataset": given.dataset, "recursive": given.recursive, "exclude": given.exclude}
    names = [f"{name}@{ending}" for name in made.covered(row, base.datasets)]
    taken = [name for name in names if name in base.snapshots]
    if taken:
        raise CallError(f"Failed to snapshot {taken[0]}: dataset already exists", errno.EEXIST)
    added_now = {
        name: made.snapshot(name, base.datasets[name.partition("@")[0]], now_ns, appliance.seed) for name in names
    }
    appliance.change(snapshots={**base.snapshots, **added_now})
    return snapshot.one(appliance, f"{given.dataset}@{ending}", call.dialect)


def _family(call: Call, found: Snapshot, *, recursive: bool) -> list[Snapshot]:
    """The snapshot, and with ``recursive`` those of its name further down."""
    if not recursive:
        return [found]
    base = call.appliance.base
    names = [f"{name}@{found.snapshot_name}" for name in below(base.datasets, found.dataset)]
    return [base.snapshots[name] for name in names if name in base.snapshots]


def _delete(call: Call) -> bool:
    options: DeleteOptions = call.arguments["options"]
    family = _family(call, _of(call), recursive=options.recursive)
    held = [one.name for one in family if one.holds]
    if held and not options.defer:
        raise CallError(f"Failed to delete snapshot: cannot destroy {held[0]!r}: dataset is busy", errno.EBUSY)
    gone = {one.name for one in family if not one.holds}
    kept = {name: one for name, one in call.appliance.base.snapshots.items() if name not in gone}
    call.appliance.change(snapshots=kept)
    return True


def _update(call: Call) -> Any:
    return snapshot.one(call.appliance, _of(call).name, call.dialect)


def _held(change: Callable[[Snapshot, int], Snapshot]) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        family = _family(call, _of(call), recursive=call.arguments["options"].recursive)
        now_ns = call.appliance.now_ns()
        changed = {one.name: change(one, now_ns) for one in family}
        call.appliance.change(snapshots={**call.appliance.base.snapshots, **changed})

    return run


def _hold(one: Snapshot, now_ns: int) -> Snapshot:
    return one if _HOLD in one.holds else replace(one, holds={**one.holds, _HOLD: now_ns})


def _release(one: Snapshot, _now_ns: int) -> Snapshot:
    return replace(one, holds={})


def _clone(call: Call) -> bool:
    given: Clone = call.arguments["snapshot_clone"]
    appliance = call.appliance
    base = appliance.base
    source = base.snapshots.get(given.snapshot)
    if source is None:
        raise CallError(f"Failed to clone snapshot: {given.snapshot!r}: dataset not found", errno.ENOENT)
    if not is_name(given.dataset_dst):
        raise CallError(f"Failed to clone snapshot: invalid name {given.dataset_dst!r}", errno.EINVAL)
    parent = base.datasets.get(given.dataset_dst.rpartition("/")[0])
    if parent is None or given.dataset_dst in base.datasets:
        reason = "parent does not exist" if parent is None else "dataset already exists"
        raise CallError(f"Failed to clone snapshot: cannot create {given.dataset_dst!r}: {reason}")
    like = base.datasets[source.dataset]
    clone = replace(
        like,
        name=given.dataset_dst,
        guid=draws.guid(appliance.seed, "dataset", given.dataset_dst, appliance.now_ns()),
        used=98_304,
        snapshots_used=0,
        available=parent.available,
        created_at_ns=appliance.now_ns(),
        mountpoint=None if like.type == "VOLUME" else f"/mnt/{given.dataset_dst}",
        growth=0,
    )
    appliance.change(**added(base, clone))
    return True


def _rollback(call: Call) -> None:
    """Newer snapshots are in the way unless they may go."""
    found, options = _of(call), call.arguments["options"]
    base = call.appliance.base
    newer = {
        name
        for name, other in base.snapshots.items()
        if other.dataset == found.dataset and other.created_at_ns > found.created_at_ns
    }
    if newer and not (options.recursive or options.recursive_clones or options.recursive_rollback):
        raise CallError(f"Failed to rollback snapshot: more recent snapshots exist: {', '.join(sorted(newer))}")
    kept = {name: other for name, other in base.snapshots.items() if name not in newer}
    call.appliance.change(snapshots=kept)


def _rename(call: Call) -> None:
    found = _of(call)
    new = call.arguments["options"].new_name
    base = call.appliance.base
    if new.partition("@")[0] != found.dataset or not is_ending(new.partition("@")[2]):
        raise ValidationErrors.one("options.new_name", "A snapshot can only be renamed within its dataset")
    if new in base.snapshots:
        raise ValidationErrors.one("options.new_name", f"{new!r} already exists", errno.EEXIST)
    kept = {
        new if name == found.name else name: replace(other, name=new) if name == found.name else other
        for name, other in base.snapshots.items()
    }
    call.appliance.change(snapshots=kept)


def _destroy(call: Call) -> JobPlan:
    name, options = call.arguments["name"], call.arguments["snapshots"]
    if call.appliance.seen("datasets", name) is None:
        raise InstanceNotFound(f"Dataset {name}", "name")
    named = {item if isinstance(item, str) else "" for item in options.snapshots}

    def result(appliance: Appliance) -> list[str]:
        base = appliance.base
        family = set(below(base.datasets, name)) if options.recursive else {name}
        gone = [
            key
            for key, one in base.snapshots.items()
            if one.dataset in family and not one.holds and (not named or one.snapshot_name in named)
        ]
        removed = set(gone)
        appliance.change(snapshots={key: one for key, one in base.snapshots.items() if key not in removed})
        return gone

    return job(2, result, f"Deleting snapshots of {name}")


def _service(name: str) -> tuple[Method, ...]:
    key = Param("id", str)

    def changing(verb: str, doc: str, run: Any, *accepts: Param, **more: Any) -> Method:
        more = {"roles": _WRITE, **more}
        return Method(f"{name}.{verb}", doc, run, accepts, access=Access.WRITE, **more)

    recursive = Param("options", Recursive, {})
    return (
        Method(f"{name}.query", "Snapshots", _rows, kind=Kind.QUERY, filterable=True, moving="never"),
        changing("create", "Take a snapshot", _create, Param("snapshot_create", SnapshotCreate), kind=Kind.CREATE),
        changing(
            "update",
            "Change a snapshot's own properties",
            _update,
            key,
            Param("snapshot_update", SnapshotUpdate),
            kind=Kind.UPDATE,
            item=True,
        ),
        changing(
            "delete",
            "Destroy a snapshot",
            _delete,
            key,
            Param("options", DeleteOptions, {}),
            kind=Kind.DELETE,
            item=True,
            roles=_DELETE,
        ),
        changing("hold", "Keep a snapshot from being destroyed", _held(_hold), key, recursive),
        changing("release", "Let go of a snapshot", _held(_release), key, recursive),
        changing("rollback", "Go back to a snapshot", _rollback, key, Param("options", Rollback, {})),
        changing("clone", "Make a dataset of a snapshot", _clone, Param("snapshot_clone", Clone)),
    )


METHODS: Final = (
    *_service("zfs.snapshot"),
    *_service("pool.snapshot"),
    Method(
        "pool.snapshot.rename",
        "Rename a snapshot",
        _rename,
        (Param("id", str), Param("options", Rename)),
        access=Access.WRITE,
        roles=_WRITE,
    ),
    Method(
        "pool.dataset.destroy_snapshots",
        "Destroy snapshots of a dataset",
        _destroy,
        (Param("name", str), Param("snapshots", Destroy, {})),
        access=Access.WRITE,
        roles=_DELETE,
        item=True,
        job=True,
    ),
)
