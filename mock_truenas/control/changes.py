"""Changes of what an appliance is, as somebody wrote them in JSON: checked against the model, all made or none."""

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass, replace
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from mock_truenas.appliance import Appliance
from mock_truenas.appliance.model import Alert, Dataset, Disk, Host, Pool
from mock_truenas.complaints import BadInput, Unknown

# Who it is, and what others refer to it by.
_FIXED: Final = {
    Pool: {"id", "name", "guid"},
    Dataset: {"name", "guid"},
    Disk: {"name"},
    Alert: {"uuid"},
    Host: {"host_id", "boot_id", "booted_at_ns"},
}
_LARGEST: Final = 2**63


def _model(of: type) -> type[BaseModel]:
    hints = get_type_hints(of, include_extras=True)
    parts: dict[str, Any] = {
        each.name: (hints[each.name], None) for each in fields_of(of) if each.name not in _FIXED[of]
    }
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return create_model(
        f"{of.__name__}Change", __config__=config, __doc__=f"Fields of a {of.__name__.lower()}.", **parts
    )


HOST: Final = _model(Host)
POOL: Final = _model(Pool)
DATASET: Final = _model(Dataset)
DISK: Final = _model(Disk)
ALERT: Final = _model(Alert)


def fields_given(change: BaseModel) -> dict[str, Any]:
    """The fields somebody named, as values of the model. Raises BadInput for none and for impossible numbers."""
    given = {name: getattr(change, name) for name in type(change).model_fields if name in change.model_fields_set}
    if not given:
        raise BadInput("body", "{}", "names no field to change", type(change).model_fields)
    for name, value in given.items():
        if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value < _LARGEST:
            raise BadInput(name, value, "lies outside 0 to 2^63 - 1")
    return given


def shown(item: Any) -> Any:
    """A part of the state as plain JSON."""
    if is_dataclass(item):
        return {each.name: shown(getattr(item, each.name)) for each in fields_of(item)}
    if isinstance(item, Mapping):
        return {str(key): shown(value) for key, value in item.items()}
    return [shown(part) for part in item] if isinstance(item, list | tuple) else item


def change_pool(appliance: Appliance, name: str, change: BaseModel) -> Any:
    """Change fields of a pool. Raises BadInput."""
    given = fields_given(change)
    pool = found(appliance.base.pools, "pool", name)
    if given.get("allocated", pool.allocated) > given.get("size", pool.size):
        raise BadInput("allocated", given.get("allocated", pool.allocated), "is more than the size of the pool")
    return shown(appliance.change_pool(name, **given))


def change_dataset(appliance: Appliance, name: str, change: BaseModel) -> Any:
    """Change fields of a dataset. Raises BadInput."""
    given = fields_given(change)
    found(appliance.base.datasets, "dataset", name)
    return shown(appliance.change_dataset(name, **given))


def change_disk(appliance: Appliance, name: str, change: BaseModel) -> Any:
    """Change fields of a disk. Raises BadInput."""
    given = fields_given(change)
    found(appliance.base.disks, "disk", name)
    return shown(appliance.change_disk(name, **given))


def change_host(appliance: Appliance, change: BaseModel) -> Any:
    """Change fields of the host. Raises BadInput."""
    appliance.change_host(**fields_given(change))
    return shown(appliance.base.host)


def row_key(appliance: Appliance, table: str, key: str) -> Any:
    """The key of a row, which may be a number, from its text. Raises Unknown."""
    rows = found(appliance.base.tables, "table", table)
    keys = {str(known): known for known in rows}
    return found(keys, "key", key)


def replaced(item: Any, change: BaseModel) -> Any:
    """A part of the state with the fields somebody named. Raises BadInput."""
    return replace(item, **fields_given(change))


def insert_row(appliance: Appliance, table: str, given: Mapping[str, Any] | None) -> Any:
    """Add a row; fields it does not name are those of the first row there. Raises BadInput."""
    rows = appliance.base.tables[table]
    row = dict(given or {})
    like = next(iter(rows.values()), None)
    if like is not None:
        _check_fields(like, {name: value for name, value in row.items() if name != "id"})
        if "id" in row and _sort(row["id"]) != _sort(like["id"]):
            raise BadInput("id", row["id"], f"is not {_sort(like['id'])}, as ids of {table} are")
        if "id" not in row and not isinstance(like["id"], int):
            raise BadInput("id", "is missing", f"rows of {table} are known by name; give one")
    elif "id" in row and not isinstance(row["id"], int | str):
        raise BadInput("id", row["id"], "is neither a number nor a string")
    try:
        return appliance.insert_row(
            table, {**{name: value for name, value in (like or {}).items() if name != "id"}, **row}
        )
    except ValueError as error:
        raise BadInput("id", row.get("id"), str(error)) from error


def change_row(appliance: Appliance, table: str, key: str, given: Mapping[str, Any]) -> Any:
    """Change fields of a row. Raises BadInput for a field it has not, or of another type."""
    known = row_key(appliance, table, key)
    row = appliance.base.tables[table][known]
    if not given:
        raise BadInput("body", "{}", "names no field to change", row)
    _check_fields(row, given)
    return appliance.change_row(table, known, **given)


def _check_fields(row: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in row or name == "id":
            raise Unknown("field", name, [field for field in row if field != "id"])
        if value is not None and row[name] is not None and _sort(value) != _sort(row[name]):
            raise BadInput(name, value, f"is not {_sort(row[name])}, as {name} is")


def _sort(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "a list"


def found(among: Mapping[str, Any], place: str, name: str) -> Any:
    """What has that name. Raises Unknown."""
    if name not in among:
        raise Unknown(place, name, among)
    return among[name]
