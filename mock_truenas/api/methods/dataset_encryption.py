"""Locking and unlocking of encrypted datasets (truenas-api 3.3). Knows no key: any passphrase that is given opens."""

import errno
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from mock_truenas.api.errors import CallError
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.dataset import dataset_of
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Param
from mock_truenas.api.methods.tables import job
from mock_truenas.appliance.model import Dataset
from mock_truenas.appliance.nas import Appliance

_ROLES: Final = frozenset({"DATASET_WRITE"})
_ID: Final = Param("id", str)


class LockOptions(Given):
    """How a dataset is locked."""

    force_umount: bool = False


class Opening(Given):
    """The key of one encryption root."""

    name: str
    passphrase: str | None = None
    key: str | None = None
    force: bool = False
    recursive: bool = False


class UnlockOptions(Given):
    """What is unlocked, and with which keys."""

    datasets: list[Opening] = Field(default_factory=list)
    recursive: bool = False
    force: bool = False
    key_file: bool = False
    toggle_attachments: bool = True


class SummaryOptions(Given):
    """Which keys a summary tries."""

    datasets: list[Opening] = Field(default_factory=list)
    force: bool = False
    key_file: bool = False


def _root_of(call: Call) -> Dataset:
    """The dataset, which must be an encryption root."""
    found = dataset_of(call)
    if not found.encrypted:
        raise CallError(f"{found.name} is not encrypted", errno.EINVAL)
    if found.encryption_root != found.name:
        raise CallError(f"Please operate on {found.encryption_root}, the encryption root of {found.name}")
    return found


def _lock(call: Call) -> JobPlan:
    root = _root_of(call)
    if not root.key_loaded:
        raise CallError(f"Dataset {root.name} is already locked")

    def result(appliance: Appliance) -> bool:
        _turn(appliance, {root.name}, key_loaded=False)
        return True

    return job(2, result, "Locking dataset")


def _unlock(call: Call) -> JobPlan:
    asked = dataset_of(call)
    if not asked.encrypted:
        raise CallError(f"{asked.name} is not encrypted", errno.EINVAL)
    options: UnlockOptions = call.arguments["unlock_options"]
    keys = {opening.name: opening.passphrase or opening.key for opening in options.datasets}

    def result(appliance: Appliance) -> dict[str, Any]:
        locked = _locked_roots(appliance, asked, recursive=options.recursive)
        opened = [name for name in locked if keys.get(name) or options.key_file]
        _turn(appliance, set(opened), key_loaded=True)
        failed = {name: {"error": "Missing key", "skipped": []} for name in locked if name not in opened}
        return {"unlocked": opened, "failed": failed}

    return job(3, result, "Unlocking datasets")


def _locked_roots(appliance: Appliance, asked: Dataset, *, recursive: bool) -> list[str]:
    roots = {
        dataset.encryption_root
        for dataset in appliance.base.datasets.values()
        if dataset.encrypted
        and (dataset.name == asked.name or (recursive and dataset.name.startswith(f"{asked.name}/")))
    }
    datasets = appliance.base.datasets
    return [name for name in datasets if name in roots and not datasets[name].key_loaded]


def _turn(appliance: Appliance, roots: set[str], *, key_loaded: bool) -> None:
    datasets: Mapping[str, Dataset] = {
        name: replace(dataset, key_loaded=key_loaded) if dataset.encryption_root in roots else dataset
        for name, dataset in appliance.base.datasets.items()
    }
    if roots:
        appliance.change(datasets=datasets)


def _summary(call: Call) -> JobPlan:
    asked = dataset_of(call)
    options: SummaryOptions = call.arguments["encryption_root_summary_options"]
    keys = {opening.name: opening.passphrase or opening.key for opening in options.datasets}

    def result(appliance: Appliance) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "key_format": "PASSPHRASE",
                "key_present_in_database": False,
                "valid_key": bool(keys.get(name)),
                "locked": True,
                "unlock_error": None if keys.get(name) else "Key not provided",
                "unlock_successful": bool(keys.get(name)),
            }
            for name in _locked_roots(appliance, asked, recursive=True)
        ]

    return job(1, result)


def _change_key(call: Call) -> JobPlan:
    root = _root_of(call)
    if root.locked:
        raise CallError("Dataset must be unlocked before key can be changed", errno.EINVAL)
    return job(1, lambda _: None)


def _inherit(call: Call) -> None:
    found = _root_of(call)
    appliance = call.appliance
    parent = appliance.base.datasets.get(found.name.rpartition("/")[0])
    if parent is None or not parent.encrypted:
        raise CallError("This operation requires the parent dataset to be encrypted", errno.EINVAL)
    if found.locked or parent.locked:
        raise CallError("Dataset must be unlocked to perform this operation", errno.EINVAL)
    datasets = {
        name: replace(dataset, encryption_root=parent.encryption_root)
        if dataset.encryption_root == found.name
        else dataset
        for name, dataset in appliance.base.datasets.items()
    }
    appliance.change(datasets=datasets)


def _method(name: str, doc: str, run: Any, *accepts: Param, is_job: bool = True) -> Method:
    full = f"pool.dataset.{name}"
    return Method(full, doc, run, (_ID, *accepts), access=Access.WRITE, roles=_ROLES, item=False, job=is_job)


METHODS: Final = (
    _method("lock", "Lock an encrypted dataset", _lock, Param("lock_options", LockOptions, {})),
    _method("unlock", "Unlock encrypted datasets", _unlock, Param("unlock_options", UnlockOptions, {})),
    _method(
        "encryption_summary",
        "Which keys would open what",
        _summary,
        Param("encryption_root_summary_options", SummaryOptions, {}),
    ),
    _method(
        "change_key",
        "Change the key of an encryption root",
        _change_key,
        Param("change_key_options", dict[str, Any], {}),
    ),
    _method(
        "inherit_parent_encryption_properties",
        "Give up an encryption root of one's own",
        _inherit,
        is_job=False,
    ),
)
