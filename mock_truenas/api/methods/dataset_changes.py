"""``pool.dataset.create`` and its like: what changes datasets (truenas-api 2.4, 3.3)."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.dataset import dataset_of
from mock_truenas.api.methods.method import Access, Call, Kind, Method, Param
from mock_truenas.api.resources import dataset as rows
from mock_truenas.api.resources import dataset_changes as changes
from mock_truenas.appliance import draws
from mock_truenas.appliance.model import Dataset, State

_WRITE: Final = frozenset({"DATASET_WRITE"})
_DELETE: Final = frozenset({"DATASET_DELETE", "DATASET_WRITE"})
_OnOff = Literal["ON", "OFF", "INHERIT"]
_OF_VOLUMES: Final = ("volsize", "volblocksize", "sparse", "force_size")
_OF_FILESYSTEMS: Final = (
    *("atime", "exec", "quota", "refquota", "snapdir", "recordsize", "casesensitivity", "aclmode", "acltype", "xattr"),
    *("quota_warning", "quota_critical", "refquota_warning", "refquota_critical", "share_type"),
)


class UserProperty(Given):
    """A user property."""

    key: str = Field(pattern=r".*:.*")
    value: str | None = None
    remove: bool | None = None


class Settings(Given):
    """What can be given when a dataset is made and later."""

    comments: str | None = None
    sync: Literal["STANDARD", "ALWAYS", "DISABLED", "INHERIT"] | None = None
    snapdev: Literal["HIDDEN", "VISIBLE", "INHERIT"] | None = None
    compression: str | None = None
    atime: _OnOff | None = None
    exec: _OnOff | None = None
    managedby: str | None = None
    quota: int | None = Field(default=None, ge=0)
    quota_warning: int | Literal["INHERIT"] | None = None
    quota_critical: int | Literal["INHERIT"] | None = None
    refquota: int | None = Field(default=None, ge=0)
    refquota_warning: int | Literal["INHERIT"] | None = None
    refquota_critical: int | Literal["INHERIT"] | None = None
    reservation: int | None = Field(default=None, ge=0)
    refreservation: int | None = Field(default=None, ge=0)
    special_small_block_size: int | Literal["INHERIT"] | None = None
    copies: Literal[1, 2, 3, "INHERIT"] | None = None
    snapdir: Literal["DISABLED", "VISIBLE", "HIDDEN", "INHERIT"] | None = None
    deduplication: Literal["ON", "VERIFY", "OFF", "INHERIT"] | None = None
    checksum: str | None = None
    readonly: _OnOff | None = None
    recordsize: str | None = None
    aclmode: Literal["PASSTHROUGH", "RESTRICTED", "DISCARD", "INHERIT"] | None = None
    acltype: Literal["OFF", "NFSV4", "POSIX", "INHERIT"] | None = None
    volsize: int | None = Field(default=None, gt=0)
    force_size: bool | None = None


class DatasetCreate(Settings):
    """A dataset to make."""

    name: str
    type: Literal["FILESYSTEM", "VOLUME"] = "FILESYSTEM"
    volblocksize: Literal["512", "512B", "1K", "2K", "4K", "8K", "16K", "32K", "64K", "128K"] | None = None
    sparse: bool | None = None
    casesensitivity: Literal["SENSITIVE", "INSENSITIVE", "INHERIT"] | None = None
    share_type: Literal["GENERIC", "MULTIPROTOCOL", "NFS", "SMB", "APPS"] | None = None
    xattr: Literal["ON", "SA", "INHERIT"] | None = None
    encryption: bool = False
    encryption_options: dict[str, Any] = Field(default_factory=dict)
    inherit_encryption: bool = True
    user_properties: list[UserProperty] = Field(default_factory=list)
    create_ancestors: bool = False


class DatasetUpdate(Settings):
    """What of a dataset to change."""

    user_properties: list[UserProperty] | None = None
    user_properties_update: list[UserProperty] = Field(default_factory=list)


class DeleteOptions(Given):
    """How far a deletion goes."""

    recursive: bool = False
    force: bool = False


class QuotaOf(Given):
    """A quota to set; 0 or null takes it away."""

    quota_type: Literal["DATASET", "USER", "USEROBJ", "GROUP", "GROUPOBJ", "PROJECT", "PROJECTOBJ"]
    id: str
    quota_value: int | None = Field(default=None, ge=0)


def shown(call: Call, name: str) -> Any:
    """A dataset as the caller sees it."""
    return rows.rows(call.appliance, {}, name)[0]


def _create_problems(state: State, given: DatasetCreate) -> Iterator[Problem]:
    name, parent = given.name, changes.parent_of(given.name)
    if not changes.is_name(name):
        yield "name", "Invalid dataset name", errno.EINVAL
    elif not parent:
        yield "name", "You need a full name, e.g. pool/newdataset", errno.EINVAL
    elif name in state.datasets:
        yield "name", f"Path {name} already exists", errno.EEXIST
    elif name.split("/")[0] not in state.pools:
        yield "name", f"Pool {name.split('/')[0]} does not exist", errno.ENOENT
    elif parent not in state.datasets and not given.create_ancestors:
        yield "name", "Parent dataset does not exist for specified name", errno.ENOENT
    foreign = _OF_FILESYSTEMS if given.type == "VOLUME" else _OF_VOLUMES
    for field in sorted(given.model_fields_set.intersection(foreign)):
        yield field, f"This field is not valid for {given.type}", errno.EINVAL
    if given.type == "VOLUME":
        block = changes.amount(given.volblocksize or "16K")
        if given.volsize is None:
            yield "volsize", "This field is required for VOLUME", errno.EINVAL
        elif given.volsize % block:
            yield "volsize", "Volume size should be a multiple of volume block size", errno.EINVAL
    yield from _setting_problems(given)


def _setting_problems(given: Settings) -> Iterator[Problem]:
    if given.recordsize not in (None, "INHERIT"):
        try:
            changes.amount(given.recordsize or "")
        except ValueError:
            yield "recordsize", f"{given.recordsize!r} is an invalid recordsize.", errno.EINVAL
    if given.compression is not None and given.compression != given.compression.upper():
        yield "compression", f"Invalid choice: {given.compression}", errno.EINVAL
    if given.checksum is not None and given.checksum != given.checksum.upper():
        yield "checksum", f"Invalid choice: {given.checksum}", errno.EINVAL


def _refuse(stem: str, problems: Iterator[Problem]) -> None:
    found = [(f"{stem}.{path}", words, number) for path, words, number in problems]
    if found:
        raise ValidationErrors(found)


def _create(call: Call) -> Any:
    given: DatasetCreate = call.arguments["pool_dataset_create"]
    appliance = call.appliance
    appliance.evolve()
    _refuse("pool_dataset_create", _create_problems(appliance.state, given))
    steps = given.name.split("/")
    for length in range(2, len(steps)):
        ancestor = "/".join(steps[:length])
        if ancestor not in appliance.base.datasets:
            appliance.change(**changes.added(appliance.base, _made(call, DatasetCreate(name=ancestor))))
    appliance.change(**changes.added(appliance.base, _made(call, given)))
    return shown(call, given.name)


def _made(call: Call, given: DatasetCreate) -> Dataset:
    base = call.appliance.base
    parent = base.datasets[changes.parent_of(given.name)]
    explicit = given.model_dump(exclude_unset=True)
    volume = given.type == "VOLUME"
    inherits = given.inherit_encryption and not given.encryption and parent.encrypted
    return Dataset(
        name=given.name,
        guid=draws.guid(call.appliance.seed, "dataset", given.name, call.appliance.now_ns()),
        used=given.volsize if volume and given.volsize and not given.sparse else changes.EMPTY,
        available=parent.available,
        snapshots_used=0,
        created_at_ns=call.appliance.now_ns(),
        type=given.type,
        volsize=given.volsize,
        encrypted=given.encryption or inherits,
        encryption_root=given.name if given.encryption else parent.encryption_root if inherits else None,
        key_loaded=True if given.encryption else parent.key_loaded if inherits else None,
        readonly=given.readonly == "ON" or (given.readonly in (None, "INHERIT") and parent.readonly),
        mountpoint=None if volume else f"/mnt/{given.name}",
        settings=changes.with_settings({}, explicit),
        user_properties=changes.with_user_properties({}, explicit.get("user_properties", ())),
    )


def _update(call: Call) -> Any:
    kept = dataset_of(call)
    given: DatasetUpdate = call.arguments["pool_dataset_update"]
    _refuse("pool_dataset_update", _update_problems(kept, given))
    explicit = given.model_dump(exclude_unset=True)
    properties = dict(kept.user_properties)
    if given.user_properties is not None:
        properties = changes.with_user_properties({}, explicit["user_properties"])
    properties = changes.with_user_properties(properties, explicit.get("user_properties_update", ()))
    volsize = given.volsize or kept.volsize
    changed = replace(
        kept,
        volsize=volsize,
        readonly=kept.readonly if given.readonly is None else given.readonly == "ON",
        settings=changes.with_settings(kept.settings, explicit),
        user_properties=properties,
    )
    if kept.volsize is not None and volsize is not None and kept.used >= kept.volsize:
        changed = replace(changed, used=kept.used + volsize - kept.volsize)
    call.appliance.change(**changes.resized(call.appliance.base, changed))
    return shown(call, kept.name)


def _update_problems(kept: Dataset, given: DatasetUpdate) -> Iterator[Problem]:
    foreign = _OF_FILESYSTEMS if kept.type == "VOLUME" else _OF_VOLUMES
    for field in sorted(given.model_fields_set.intersection(foreign)):
        yield field, f"This field is not valid for {kept.type}", errno.EINVAL
    if given.volsize is not None and kept.volsize is not None and given.volsize < kept.volsize and not given.force_size:
        yield "volsize", "You cannot shrink a zvol from GUI, this may lead to data loss.", errno.EINVAL
    yield from _setting_problems(given)


def _delete(call: Call) -> bool:
    kept = dataset_of(call)
    options: DeleteOptions = call.arguments["options"]
    base = call.appliance.base
    if "/" not in kept.name:
        raise CallError(f"cannot destroy {kept.name!r}: it is the root dataset of a pool", errno.EINVAL)
    family = changes.below(base.datasets, kept.name)
    if len(family) > 1 and not options.recursive:
        raise CallError(
            f"Failed to delete dataset: cannot destroy {kept.name!r}: filesystem has children", errno.ENOTEMPTY
        )
    held = [snapshot.name for snapshot in base.snapshots.values() if snapshot.dataset in family and snapshot.holds]
    if held:
        raise CallError(f"Failed to delete dataset: {held[0]!r}: dataset is busy", errno.EBUSY)
    call.appliance.change(**changes.removed(base, kept.name))
    return True


def _set_quota(call: Call) -> None:
    name = call.arguments["ds"]
    kept: Dataset | None = call.appliance.seen("datasets", name)
    if kept is None:
        raise ValidationErrors.one("ds", f"{name} does not exist", errno.ENOENT)
    settings = dict(kept.settings)
    for quota in call.arguments["quotas"]:
        key = quota.id.lower() if quota.quota_type == "DATASET" else f"{quota.quota_type.lower()}quota@{quota.id}"
        if quota.quota_value:
            settings[key] = str(quota.quota_value)
        else:
            settings.pop(key, None)
    call.appliance.change_dataset(name, settings=settings)


def _promote(call: Call) -> None:
    kept = dataset_of(call)
    raise CallError(f"cannot promote {kept.name!r}: not a cloned filesystem", errno.EBADMSG)


_ID: Final = Param("id", str)

METHODS: Final = (
    Method(
        "pool.dataset.create",
        "Make a dataset",
        _create,
        (Param("pool_dataset_create", DatasetCreate),),
        kind=Kind.CREATE,
        access=Access.WRITE,
        roles=_WRITE,
    ),
    Method(
        "pool.dataset.update",
        "Change a dataset",
        _update,
        (_ID, Param("pool_dataset_update", DatasetUpdate)),
        kind=Kind.UPDATE,
        access=Access.WRITE,
        roles=_WRITE,
        item=True,
    ),
    Method(
        "pool.dataset.delete",
        "Destroy a dataset",
        _delete,
        (_ID, Param("options", DeleteOptions, {})),
        kind=Kind.DELETE,
        access=Access.WRITE,
        roles=_DELETE,
        item=True,
    ),
    Method(
        "pool.dataset.set_quota",
        "Set quotas",
        _set_quota,
        (Param("ds", str), Param("quotas", list[QuotaOf])),
        access=Access.WRITE,
        roles=_WRITE,
    ),
    Method(
        "pool.dataset.promote",
        "Make a clone independent",
        _promote,
        (_ID,),
        access=Access.WRITE,
        roles=_WRITE,
        item=True,
    ),
)
