"""A capture as an appliance: its rows become the state; what they do not tell is as in any other. No network."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from mock_truenas.api.methods.sharing import share_with_options
from mock_truenas.appliance import Appliance
from mock_truenas.appliance.accounts import Accounts
from mock_truenas.appliance.model import Disk, Host, State
from mock_truenas.appliance.releases import find_release
from mock_truenas.appliance.warmth import warmth
from mock_truenas.capture import rows
from mock_truenas.capture.document import Capture, read_capture
from mock_truenas.capture.wanted import TABLES
from mock_truenas.clock import Clock
from mock_truenas.complaints import BadInput, from_validation
from mock_truenas.fleet import Plan

_Model = TypeVar("_Model", bound=BaseModel)
_NO_ID: Final = "0" * 64


def plan_of(path: Path, plan: Plan) -> Plan:
    """``plan`` with the capture in a file instead of its fixture and release. Raises BadInput."""
    capture = read_capture(path)
    try:
        state = state_of(capture)
    except BadInput as error:
        raise BadInput("capture", path, str(error)) from error

    def build(clock: Clock, entropy: Callable[[int], bytes], rng: random.Random) -> Appliance:
        return Appliance(state, find_release(capture.release), Accounts(entropy, ""), clock, rng)

    return replace(plan, release=capture.release, build=build)


def state_of(capture: Capture) -> State:
    """The state a capture shows. Raises BadInput naming the row and field that cannot be."""
    at_ns = capture.at_ms * 1_000_000
    pools = [row.pool(at_ns) for row in _read(capture, "pool.query", rows.PoolRow)]
    boot = _one(capture, "boot.get_state", rows.PoolRow).pool(at_ns)
    datasets = [row.dataset() for row in _datasets(capture)]
    alerts = [row.alert() for row in _read(capture, "alert.list", rows.AlertRow)]
    snapshots = [
        row.snapshot()
        for name in ("zfs.snapshot.query", "pool.snapshot.query")
        for row in _read(capture, name, rows.SnapshotRow)
    ]
    state = State(
        host=_host(capture),
        pools={pool.name: pool for pool in pools},
        boot_pool=boot,
        datasets={dataset.name: dataset for dataset in datasets},
        disks={},
        alerts={alert.uuid: alert for alert in alerts},
        snapshots={snapshot.name: snapshot for snapshot in snapshots},
        tables={table: _table(capture, table) for table in TABLES},
    )
    return replace(state, disks=_disks(capture, at_ns, state))


def _host(capture: Capture) -> Host:
    info = _one(capture, "system.info", rows.InfoRow)
    texts = {name: capture.answers.get(f"system.{name}") for name in ("host_id", "boot_id")}
    return Host(
        hostname=info.hostname,
        model=info.model,
        cores=info.cores,
        physical_cores=info.physical_cores,
        memory=info.physmem,
        serial=info.system_serial,
        product=info.system_product,
        product_version=info.system_product_version,
        manufacturer=info.system_manufacturer,
        ecc_memory=info.ecc_memory,
        timezone=info.timezone,
        host_id=texts["host_id"] if isinstance(texts["host_id"], str) else _NO_ID,
        boot_id=texts["boot_id"] if isinstance(texts["boot_id"], str) else "00000000-0000-4000-8000-000000000000",
        booted_at_ns=info.boottime,
        typical_load=min(1000.0, max(0.0, info.loadavg[-1] if info.loadavg else 0.5)),
    )


def _disks(capture: Capture, at_ns: int, state: State) -> dict[str, Disk]:
    measured = capture.answers.get("disk.temperatures")
    known = measured if isinstance(measured, dict) else {}
    made = {}
    for row in _read(capture, "disk.query", rows.DiskRow):
        value = known.get(row.name)
        disk = row.disk(None)
        if isinstance(value, int) and not isinstance(value, bool) and -100 < value < 1000:
            # What is measured is the usual temperature and what hour and work add to it.
            disk = replace(disk, temperature=value - warmth(disk, at_ns, state))
        made[disk.name] = disk
    return made


def _datasets(capture: Capture) -> list[rows.DatasetRow]:
    try:
        flat = list(rows.nested(_list(capture, "pool.dataset.query")))
    except ValueError as error:
        raise BadInput("answers.pool.dataset.query", "…", str(error)) from error
    return [_valid(f"answers.pool.dataset.query.{number}", row, rows.DatasetRow) for number, row in enumerate(flat)]


def _table(capture: Capture, table: str) -> Mapping[Any, Mapping[str, Any]]:
    name = f"{table}.query"
    kept: dict[Any, Mapping[str, Any]] = {}
    for number, row in enumerate(_list(capture, name)):
        place = f"answers.{name}.{number}"
        if not isinstance(row, dict):
            raise BadInput(place, row, "is not an object")
        key = row.get("id")
        if not isinstance(key, int | str) or isinstance(key, bool):
            raise BadInput(f"{place}.id", key, "is neither a number nor a string")
        if table == "sharing.smb" and "options" not in row:
            row = share_with_options({field: value for field, value in row.items() if field != "path_local"}, {})
        kept[key] = row
    return kept


def _list(capture: Capture, method: str) -> list[Any]:
    answer = capture.answers.get(method)
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise BadInput(f"answers.{method}", answer, "is not a list of rows")
    return answer


def _read(capture: Capture, method: str, model: type[_Model]) -> list[_Model]:
    return [_valid(f"answers.{method}.{number}", row, model) for number, row in enumerate(_list(capture, method))]


def _one(capture: Capture, method: str, model: type[_Model]) -> _Model:
    answer = capture.answers.get(method)
    if answer is None:
        raise BadInput(f"answers.{method}", "is missing", "without it there is no appliance to serve")
    return _valid(f"answers.{method}", answer, model)


def _valid(place: str, value: Any, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise from_validation(error, place) from error
    except RecursionError as error:
        raise BadInput(place, "…", "is nested too deep") from error
