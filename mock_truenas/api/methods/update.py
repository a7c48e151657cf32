"""``update.*``: whether there is a newer version, fetching it and becoming it (truenas-api 0, 8, F34).

Up to 25.04 one asks ``check_available``; since 25.10 one reads ``status``.
"""

import errno
from typing import Any, Final

from mock_truenas.api.errors import CallError
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Param
from mock_truenas.api.methods.tables import Row, config, constant, given_object, job
from mock_truenas.appliance.model import Update
from mock_truenas.appliance.nas import Appliance

_CHANGELOG: Final = "Fixes and small improvements.\n"
_DOWNLOAD_S: Final = 45.0
_APPLY_S: Final = 90.0


def _state(call: Call) -> Update:
    return call.appliance.state.update


def _manifest(version: str) -> Row:
    return {
        "filename": f"TrueNAS-{version}.update",
        "version": version,
        "date": "2026-01-20T12:00:00",
        "changelog": _CHANGELOG,
        "checksum": "0" * 64,
        "filesize": 2_046_820_352,
        "profile": "GENERAL",
        "train": _train(version),
    }


def _notes_url(version: str) -> str:
    return f"https://www.truenas.com/docs/scale/{version.rpartition('.')[0]}/gettingstarted/scalereleasenotes/"


def _check(call: Call) -> Row:
    update = _state(call)
    if update.applied is not None:
        return {"status": "REBOOT_REQUIRED"}
    if update.available is None:
        return {"status": "UNAVAILABLE"}
    version = update.available
    name = f"TrueNAS-SCALE-{version}"
    return {
        "status": "AVAILABLE",
        "changes": [{"operation": "upgrade", "old": _old(call), "new": {"name": "TrueNAS", "version": name}}],
        "notice": None,
        "notes": None,
        "release_notes_url": _notes_url(version),
        "changelog": _CHANGELOG,
        "version": name,
        "filename": f"{name}.update",
        "filesize": 2_046_820_352,
        "checksum": "0" * 64,
        "date": "2026-01-20T12:00:00",
    }


def _old(call: Call) -> Row:
    return {"name": "TrueNAS", "version": call.appliance.release.info_version}


def _status(call: Call) -> Row:
    update = _state(call)
    number = call.appliance.release.number
    if update.applied is not None:
        return {
            "code": "REBOOT_REQUIRED",
            "status": None,
            "error": {"errname": "EREBOOTREQUIRED", "reason": "System update was already applied, reboot is required."},
            "update_download_progress": None,
        }
    new = None
    if update.available is not None:
        new = {
            "version": update.available,
            "manifest": _manifest(update.available),
            "release_notes": _CHANGELOG,
            "release_notes_url": _notes_url(update.available),
        }
    current = {"train": _train(number), "profile": update.profile, "matches_profile": True}
    return {
        "code": "NORMAL",
        "status": {"current_version": current, "new_version": new},
        "error": None,
        "update_download_progress": _downloading(call),
    }


def _downloading(call: Call) -> Row | None:
    for running in call.appliance.jobs.all():
        if running.method == "update.download" and not running.finished:
            percent = round(100 * running.progress.fraction, 2)
            return {"percent": percent, "description": running.progress.text, "version": _state(call).available}
    return None


def _train(number: str) -> str:
    year, month, *_ = number.split(".")
    return f"TrueNAS-SCALE-{year}.{month}"


def _wanted(call: Call) -> str:
    update = _state(call)
    if update.applied is not None:
        raise CallError("System update was already applied, reboot is required.", errno.EBUSY)
    if update.available is None:
        raise CallError("No update is available", errno.ENOENT)
    return update.available


def _download(call: Call) -> JobPlan:
    version = _wanted(call)
    return job(_DOWNLOAD_S, lambda _: True, f"Downloading {version}", "Downloading update", "Verifying update")


def _apply(call: Call) -> JobPlan:
    version = _wanted(call)
    reboots = _options(call).get("reboot", False)

    def finish(appliance: Appliance) -> bool:
        before = appliance.base.update
        appliance.change(update=Update(None, before.profile, version))
        if reboots:
            appliance.reboot()
        return True

    return job(_APPLY_S, finish, f"Updating to {version}", "Downloading update", "Installing", "Cleaning up")


def _options(call: Call) -> Any:
    return call.arguments.get("attrs", call.arguments.get("options", {}))


def _profiles(call: Call) -> Row:
    names = ("DEVELOPER", "EARLY_ADOPTER", "GENERAL", "MISSION_CRITICAL")
    return {
        name: {
            "name": name.replace("_", " ").title(),
            "footnote": "",
            "description": "",
            "available": name in ("EARLY_ADOPTER", "GENERAL") or name == _state(call).profile,
        }
        for name in names
    }


def _versions(call: Call) -> list[Row]:
    update = _state(call)
    return [] if update.available is None else [{"train": _train(update.available), "version": _one(update.available)}]


def _one(version: str) -> Row:
    return {
        "version": version,
        "manifest": _manifest(version),
        "release_notes": _CHANGELOG,
        "release_notes_url": _notes_url(version),
    }


def _trains(call: Call) -> Row:
    train = _train(call.appliance.release.number)
    return {"trains": {train: {"description": "", "sequence": ""}}, "current": train, "selected": train}


def _whole(call: Call, row: Row) -> Row:
    return row | {"profile": _state(call).profile}


def _choose(call: Call, given: Any) -> None:
    if "profile" in given:
        before = call.appliance.base.update
        call.appliance.change(update=Update(before.available, given["profile"], before.applied))


_ATTRS: Final = given_object(
    "update", {"dataset_name": str | None, "resume": bool, "reboot": bool}, (), {"reboot": False}
)

_SETTINGS: Final = config(
    "update",
    {"id": 1, "autocheck": True, "profile": "GENERAL"},
    whole=_whole,
    fields={"autocheck": bool, "profile": str},
    since="25.10.0",
    changed=_choose,
)


def _update(call: Call) -> Any:
    """One name, two methods: up to 25.04 the job that installs, later the settings' own."""
    return _SETTINGS[1].run(call) if call.dialect.has("update_profiles") else _apply(call)


METHODS: Final[tuple[Method, ...]] = (
    Method(
        "update.check_available",
        "Whether there is a newer version",
        _check,
        (Param("update-check-available", given_object("check", {"train": str | None}, (), {"train": None}), {}),),
        moving="never",
    ),
    Method("update.status", "The version here, and a newer one", _status),
    Method(
        "update.download",
        "Fetch the newest version",
        _download,
        (
            Param("train", str | None, None, since="25.10.0"),
            Param("version", str | None, None, since="25.10.0"),
        ),
        access=Access.WRITE,
        job=True,
    ),
    Method(
        "update.update",
        "Install the newest version; since 25.10 change the settings instead",
        _update,
        (Param("attrs", _ATTRS, {}, until="25.10.0"), *_SETTINGS[1].accepts),
        access=Access.WRITE,
        job=True,
    ),
    Method(
        "update.run", "Install the newest version", _apply, (Param("attrs", _ATTRS, {}),), access=Access.WRITE, job=True
    ),
    Method("update.profile_choices", "How eager updates can be", _profiles, moving="never"),
    Method("update.available_versions", "Versions one could update to", _versions, moving="never"),
    Method("update.get_trains", "Trains of versions", _trains, moving="never"),
    constant("update.get_auto_download", "Whether versions are fetched by themselves", value=False),
    constant("update.get_pending", "Versions that are fetched", [], Param("path", str | None, None)),
    _SETTINGS[0],
)
