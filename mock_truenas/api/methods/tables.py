"""CRUD and config services over the appliance's plain rows: how they show them, take them and change them.

Knows no service: each says in a ``Table`` what its rows are in the newest shape, and how older versions see them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, create_model

from mock_truenas.api.errors import InstanceNotFound, Problem, ValidationErrors
from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import REQUIRED, Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.appliance.nas import Appliance

Row: TypeAlias = dict[str, Any]
Convert: TypeAlias = Callable[[Row], Row]
Check: TypeAlias = Callable[[Call, Mapping[str, Any], Any], Iterable[Problem]]
SECRET: Final = "********"  # noqa: S105 - what readers see in place of a secret
SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True)
class Table:
    """Rows of one service. ``blank`` has every key of the newest shape with what a row says that does not name it.

    ``whole`` makes a row complete where its keys depend on its values. ``older``: (feature, converter) for versions
    that have the feature; keys that merely came or went stand in ``differences.toml`` under the name of the service.
    ``secrets`` are shown to those who may write; ``at`` is the appliance's table where that is not the service's name.
    """

    name: str
    word: str
    blank: Mapping[str, Any]
    key: type = int
    whole: Convert = lambda row: row
    older: tuple[tuple[str, Convert], ...] = ()
    secrets: frozenset[str] = frozenset()
    at: str = ""

    @property
    def kept_at(self) -> str:
        """The name of the appliance's table."""
        return self.at or self.name

    def kept(self, appliance: Appliance) -> Mapping[Any, Mapping[str, Any]]:
        """The rows as the appliance keeps them, by key."""
        return appliance.state.tables.get(self.kept_at, {})

    def shown(self, call: Call, row: Mapping[str, Any]) -> Row:
        """A row as this version and this caller see it."""
        return shaped(call, self.name, self.whole({**self.blank, **row}), self.older, self.secrets)

    def one(self, call: Call, key: Any, attribute: str = "") -> Mapping[str, Any]:
        """The kept row of a key. Raises InstanceNotFound."""
        row = self.kept(call.appliance).get(key)
        if row is None:
            raise InstanceNotFound(f"{self.word} {key}", attribute)
        return row

    def all(self, call: Call) -> list[Row]:
        """Every row as it is shown."""
        return [self.shown(call, row) for row in self.kept(call.appliance).values()]

    def next_key(self, appliance: Appliance) -> int:
        """A number no row has."""
        return 1 + max((key for key in self.kept(appliance) if isinstance(key, int)), default=0)


@dataclass(frozen=True)
class Writing:
    """What ``create`` and ``update`` take, in versions from ``since`` up to ``until``.

    ``stem`` opens the argument's name: ``sharingnfs`` makes ``sharingnfs_create``. ``newest`` turns given values into
    those of the newest shape; for an update it sees the kept row. ``check`` yields problems whose paths lack the stem.
    """

    stem: str
    fields: Mapping[str, Any]
    required: frozenset[str] = frozenset()
    newest: Callable[[Mapping[str, Any], Mapping[str, Any]], Row] = lambda given, _kept: dict(given)
    check: Check = lambda _call, _given, _key: ()
    fixed: frozenset[str] = frozenset()
    since: str | None = None
    until: str | None = None

    def param(self, verb: str, blank: Mapping[str, Any]) -> Param:
        """The argument of ``create`` or ``update``; the latter requires nothing."""
        fields = {name: kind for name, kind in self.fields.items() if verb == "create" or name not in self.fixed}
        required = self.required if verb == "create" else frozenset()
        shape = given_object(f"{self.stem}_{verb}", fields, required, blank)
        default = {} if verb == "update" else REQUIRED
        return Param(f"{self.stem}_{verb}", shape, default, self.since, self.until)


@dataclass(frozen=True)
class Extras:
    """What the methods of one service have beyond the common: roles that may write, more arguments, side effects.

    ``complete`` adds what the appliance decides about a new row, from its key.
    """

    roles: frozenset[str] | None = None
    delete: tuple[Param, ...] = ()
    complete: Callable[[Call, Row], Row] = lambda _call, row: row
    may_go: Callable[[Call, Mapping[str, Any]], None] = lambda _call, _row: None
    moving: Any = field(default="never")


def shaped(
    call: Call,
    shape: str,
    row: Row,
    older: Iterable[tuple[str, Convert]] = (),
    secrets: frozenset[str] = frozenset(),
) -> Row:
    """A row of the newest shape as this version and this caller see it."""
    for feature, convert in older:
        if call.dialect.has(feature):
            row = convert(row)
    row = call.dialect.shaped(shape, row)
    if secrets and not may_see_secrets(call):
        row |= {name: SECRET for name in secrets & row.keys() if row[name]}
    return row


def may_see_secrets(call: Call) -> bool:
    """Whether secret values are shown to the caller; to nobody, when nobody is logged in."""
    return call.principal is not None and call.principal.may_write


def given_object(name: str, fields: Mapping[str, Any], required: Iterable[str], blank: Mapping[str, Any]) -> Any:
    """A type for an object with these fields; checked, it is a dict of those that were given, and only those."""
    needed = frozenset(required)
    parts: dict[str, Any] = {
        field_name: (kind, ...) if field_name in needed else (kind, blank.get(field_name))
        for field_name, kind in fields.items()
    }
    model = create_model(name, __base__=Given, **parts)
    return Annotated[model, AfterValidator(_given)]


def fields_of(blank: Mapping[str, Any], without: str = "", **special: Any) -> dict[str, Any]:
    """Types of fields by the values of a blank row; ``without`` names those that cannot be given."""
    left_out = {"id", *without.split()}
    types = {name: _TYPES[type(value)] for name, value in blank.items() if name not in left_out}
    return {**types, **special}


def reading(table: Table, extras: Extras | None = None) -> tuple[Method, ...]:
    """``query``; ``get_instance`` is derived from it."""
    more = extras or Extras()
    name, doc, roles = f"{table.name}.query", f"{table.word}s", readers(more.roles)
    return (Method(name, doc, table.all, kind=Kind.QUERY, roles=roles, filterable=True, moving=more.moving),)


def readers(writers: frozenset[str] | None) -> frozenset[str] | None:
    """Roles that may read what these may write, besides those that may read everything."""
    if writers is None:
        return None
    return writers | {f"{role.removesuffix('_WRITE')}_READ" for role in writers if role.endswith("_WRITE")}


def writing(table: Table, *forms: Writing, extras: Extras | None = None) -> tuple[Method, ...]:
    """``create``, ``update`` and ``delete``, each changing what the next query shows."""
    more = extras or Extras()
    word = table.word.lower()

    def row_method(verb: str, kind: Kind, run: Callable[[Call], Any], params: tuple[Param, ...]) -> Method:
        name, item = f"{table.name}.{verb}", verb != "create"
        doc = f"{verb.capitalize()} a {word}"
        return Method(name, doc, run, params, kind=kind, access=Access.WRITE, roles=more.roles, item=item)

    key = Param("id", table.key)
    return (
        row_method("create", Kind.CREATE, _creator(table, forms, more), _params(table, forms, "create")),
        row_method("update", Kind.UPDATE, _updater(table, forms), (key, *_params(table, forms, "update"))),
        row_method("delete", Kind.DELETE, _deleter(table, more), (key, *more.delete)),
    )


def crud(table: Table, *forms: Writing, extras: Extras | None = None) -> tuple[Method, ...]:
    """The methods of a CRUD service."""
    return reading(table, extras) + writing(table, *forms, extras=extras)


def config(
    name: str,
    blank: Mapping[str, Any],
    *,
    whole: Callable[[Call, Row], Row] = lambda _call, row: row,
    secrets: frozenset[str] = frozenset(),
    fields: Mapping[str, Any] | None = None,
    since: str | None = None,
    check: Callable[[Call, Mapping[str, Any]], Iterable[Problem]] = lambda _call, _given: (),
    changed: Callable[[Call, Mapping[str, Any]], None] = lambda _call, _given: None,
) -> tuple[Method, ...]:
    """``config`` and ``update`` of a service with one row, kept in the table ``config`` under the service's name."""

    def kept(call: Call) -> Row:
        row = call.appliance.state.tables.get("config", {}).get(name, {})
        # The table keys its rows by the service; the id the service shows is another.
        return {**blank, **{key: value for key, value in row.items() if key != "id"}}

    def show(call: Call) -> Row:
        return shaped(call, name, whole(call, kept(call)), (), secrets)

    stem = f"{name.replace('.', '_')}_update"

    def update(call: Call) -> Row:
        given = call.arguments[stem]
        refuse(stem, [*unknown_here(call, name, given), *check(call, given)])
        keep_config(call.appliance, name, given)
        changed(call, given)
        return show(call)

    shape = given_object(stem, fields_of(blank) if fields is None else fields, (), blank)
    return (
        Method(f"{name}.config", f"The settings of {name}", show, kind=Kind.CONFIG, moving="never"),
        Method(
            f"{name}.update",
            f"Change settings of {name}",
            update,
            (Param(stem, shape, {}, since),),
            kind=Kind.UPDATE,
            access=Access.WRITE,
        ),
    )


def keep_config(appliance: Appliance, name: str, given: Mapping[str, Any]) -> None:
    """Change fields of the one row of a config service."""
    if name in appliance.state.tables.get("config", {}):
        appliance.change_row("config", name, **given)
    else:
        appliance.insert_row("config", dict(given), key=name)


def constant(name: str, doc: str, value: Any, *accepts: Param, **more: Any) -> Method:
    """A method whose answer is always the same."""
    return Method(name, doc, lambda _call: value, accepts, moving="never", **more)


def refuse(stem: str, problems: Iterable[Problem]) -> None:
    """Raise ValidationErrors when there are problems; their paths go below ``stem``."""
    found = [(f"{stem}.{path}" if path else stem, words, number) for path, words, number in problems]
    if found:
        raise ValidationErrors(found)


def unknown_here(call: Call, shape: str, given: Mapping[str, Any]) -> Iterable[Problem]:
    """Keys that came later or went earlier than this version."""
    words = "Extra inputs are not permitted" if call.dialect.has("strict_models") else "Field was not expected"
    return [(name, words, 22) for name in given if name in call.dialect.lacks(shape)]


def job(
    takes_s: float, result: Callable[[Appliance], Any], description: str = "", *steps: str, abortable: bool = False
) -> JobPlan:
    """A job of so many seconds whose steps are spread evenly over it."""
    told = tuple((place / len(steps), text) for place, text in enumerate(steps))
    return JobPlan(round(takes_s * SECOND_NS), result, description, told, abortable)


def _given(value: BaseModel) -> Row:
    # An object within is a dict by now, which the model would complain about.
    return value.model_dump(exclude_unset=True, warnings=False)


def _params(table: Table, forms: tuple[Writing, ...], verb: str) -> tuple[Param, ...]:
    return tuple(form.param(verb, table.blank) for form in forms)


def _form(call: Call, forms: tuple[Writing, ...], verb: str) -> tuple[Writing, str, Mapping[str, Any]]:
    for form in forms:
        argument = f"{form.stem}_{verb}"
        if argument in call.arguments:
            return form, argument, call.arguments[argument]
    raise LookupError(f"{call.method.name} has no form in {call.dialect.version.text}")


def _checked(call: Call, table: Table, forms: tuple[Writing, ...], verb: str, kept: Mapping[str, Any]) -> Row:
    form, argument, given = _form(call, forms, verb)
    refuse(argument, [*unknown_here(call, table.name, given), *form.check(call, given, kept.get("id"))])
    row = form.newest(given, kept)
    # An object given in part keeps the rest: ``schedule: {hour: "3"}`` stays at minute 0.
    base = {**table.blank, **kept}
    return {
        name: {**base[name], **value} if isinstance(value, dict) and table.blank.get(name) and base[name] else value
        for name, value in row.items()
    }


def _creator(table: Table, forms: tuple[Writing, ...], more: Extras) -> Callable[[Call], Row]:
    def create(call: Call) -> Row:
        row = {**table.blank, **_checked(call, table, forms, "create", {})}
        if table.key is int:
            row["id"] = table.next_key(call.appliance)
        row = more.complete(call, row)
        call.appliance.insert_row(table.kept_at, row, key=row["id"])
        return table.shown(call, row)

    return create


def _updater(table: Table, forms: tuple[Writing, ...]) -> Callable[[Call], Row]:
    def update(call: Call) -> Row:
        key = call.arguments["id"]
        changes = _checked(call, table, forms, "update", table.one(call, key))
        if changes:
            call.appliance.change_row(table.kept_at, key, **changes)
        return table.shown(call, table.one(call, key))

    return update


def _deleter(table: Table, more: Extras) -> Callable[[Call], bool]:
    def delete(call: Call) -> bool:
        key = call.arguments["id"]
        more.may_go(call, table.one(call, key))
        call.appliance.delete_row(table.kept_at, key)
        return True

    return delete


_TYPES: Final[Mapping[type, Any]] = {
    bool: bool,
    int: int,
    float: float,
    str: str,
    list: list[Any],
    dict: dict[str, Any],
    type(None): Any,
}
