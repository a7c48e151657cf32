"""Faults of what results say, as data: a call that succeeds, with values a client may not expect."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, StringConstraints

from mock_truenas.durations import Duration
from mock_truenas.faults.kind import Effect, FaultKind, RequestParameters, Stage, Witness
from mock_truenas.faults.rows import GONE, Change, edited, is_named
from mock_truenas.faults.target import Occasion

_VALUES: Final[frozenset[Occasion]] = frozenset({"call", "event"})
_PATH: Final = r"^[^.]+(\.[^.]+)*$"
_Call = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
_Path = Annotated[str, StringConstraints(pattern=_PATH, max_length=200)]


class RowParameters(RequestParameters):
    """Parameters of a kind that changes rows of a result."""

    call: _Call = Field(description="Glob on the API method, or the collection of an event; several separated by |")
    rows: _Call = Field("*", description="Glob on the name or id of the rows of a listing")


class NullField(RowParameters):
    field: _Path = Field(description="Dotted path in a row; lists on the way are entered, * is any key")


class SetField(NullField):
    value: JsonValue = Field(description="The value there instead; the last key is added where it is missing")


class RenameField(NullField):
    to: _Path = Field(description="Dotted path the value goes to")


class ChangeType(NullField):
    to: Literal["text", "int", "float", "bool", "list", "date"] = Field(description="The type the value gets")


class NonFinite(NullField):
    value: Literal["Infinity", "-Infinity", "NaN"] = Field("Infinity", description="The token")


class ShiftDate(NullField):
    by: Duration = Field(description="How much later the date is, such as 1h")
    back: bool = Field(False, description="Earlier instead")


class DuplicateRows(RowParameters):
    field: _Path | None = Field(None, description="Dotted path that differs between a row and its copy")
    value: JsonValue = Field(None, description="The copy's value there")


class DuplicateSerial(RowParameters):
    call: _Call = Field("disk.query", description="Glob on the API method; several are separated by |")
    serial: str = Field("Not Specified", description="The serial number of every disk")


class NoRows(RowParameters):
    pass


class HtmlInAlert(RowParameters):
    call: _Call = Field("alert.list", description="Glob on the API method or collection; several are separated by |")


def _fields(parameters: NullField, change: Change, *, create: bool = False) -> Effect:
    return Effect(
        change_value=lambda value: edited(value, parameters.field, change, rows=parameters.rows, create=create)
    )


def _rename(parameters: RenameField) -> Effect:
    def row_changed(row: Any) -> Any:
        taken: list[Any] = []

        def take(value: Any) -> Any:
            taken.append(value)
            return GONE

        rest = edited(row, parameters.field, take)
        return edited(rest, parameters.to, lambda _: taken[0], create=True) if taken else row

    return Effect(change_value=_each_row(parameters.rows, lambda row: [row_changed(row)]))


def _each_row(rows: str, change: Callable[[Any], list[Any]]) -> Change:
    """Each named row of a listing, or a single object, becomes what ``change`` makes of it."""

    def changed(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [made for row in value for made in (change(row) if rows == "*" or is_named(row, rows) else [row])]
        return change(value)[0] if isinstance(value, Mapping) and (rows == "*" or is_named(value, rows)) else value

    return changed


def _typed(to: str) -> Change:
    def change(value: Any) -> Any:
        made = _MADE[to](value)
        return value if type(made) is type(value) and made == value else made

    return change


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def _number(value: Any) -> float:
    if isinstance(value, Mapping):
        value = value.get("$date", 0)
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


_MADE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": _text,
    "int": lambda value: int(_number(value)),
    "float": _number,
    "bool": bool,
    "list": lambda value: list(value.values()) if isinstance(value, Mapping) else [value],
    "date": lambda value: {"$date": int(_number(value))},
}


def _shifted(parameters: ShiftDate) -> Effect:
    by_ms = parameters.by // 1_000_000 * (-1 if parameters.back else 1)

    def change(value: Any) -> Any:
        if isinstance(value, Mapping) and "$date" in value:
            return {"$date": value["$date"] + by_ms}
        return value

    return _fields(parameters, change)


def _doubled(parameters: DuplicateRows) -> Effect:
    def change(row: Any) -> list[Any]:
        field = parameters.field
        return [row, row if field is None else edited(row, field, lambda _: parameters.value, create=True)]

    return Effect(change_value=_each_row(parameters.rows, change))


def _html(parameters: HtmlInAlert) -> Effect:
    def change(row: Any) -> list[Any]:
        if not isinstance(row, Mapping):
            return [row]
        said = f"{row.get('formatted') or row.get('text')}<br><ul><li>Disk sdb is UNAVAIL</li></ul>"
        return [{**row, "formatted": said, "args": [said]}]

    return Effect(change_value=_each_row(parameters.rows, change))


def _named(_: Any) -> Witness:
    return Witness(journal=({"fault": True},))


def _row(name: str, doc: str, parameters: type[RowParameters], effect: Callable[[Any], Effect]) -> FaultKind:
    return FaultKind(
        name=f"payload.{name}",
        doc=doc,
        parameters=parameters,
        stage=Stage.BODY,
        witness=_named,
        effect=effect,
        acts_on=_VALUES,
    )


KINDS: Final = (
    _row(
        "null_field",
        "A field of a result is null.",
        NullField,
        lambda parameters: _fields(parameters, lambda _: None),
    ),
    _row(
        "drop_field",
        "A field of a result is missing.",
        NullField,
        lambda parameters: _fields(parameters, lambda _: GONE),
    ),
    _row(
        "set_field",
        "A field of a result has a given value.",
        SetField,
        lambda parameters: _fields(parameters, lambda _: parameters.value, create=True),
    ),
    _row("rename_field", "A field of a result is elsewhere, as after an upgrade.", RenameField, _rename),
    _row(
        "change_type",
        "A field of a result has another type.",
        ChangeType,
        lambda parameters: _fields(parameters, _typed(parameters.to)),
    ),
    _row(
        "non_finite",
        "A number of a result is a bare token that strict JSON parsers refuse.",
        NonFinite,
        lambda parameters: _fields(parameters, lambda _: float(parameters.value.replace("Infinity", "inf"))),
    ),
    _row("shift_date", "A date of a result is later or earlier than it was.", ShiftDate, _shifted),
    _row(
        "duplicate_rows", "Rows of a listing come twice, alike or with one field that differs.", DuplicateRows, _doubled
    ),
    _row(
        "duplicate_serial",
        "All disks have the same serial number, as virtual ones do.",
        DuplicateSerial,
        lambda parameters: Effect(
            change_value=lambda value: edited(value, "serial", lambda _: parameters.serial, rows=parameters.rows)
        ),
    ),
    _row(
        "no_rows",
        "Rows of a listing are missing.",
        NoRows,
        lambda parameters: Effect(change_value=_listing(_each_row(parameters.rows, lambda _: []))),
    ),
    _row("html_in_alert", "Alerts say what they say in HTML, and their arguments are a list.", HtmlInAlert, _html),
)


def _listing(change: Change) -> Change:
    return lambda value: change(value) if isinstance(value, list | tuple) else value
