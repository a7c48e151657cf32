"""From an HTTP request to the arguments of a call (truenas-api 2.3, 2.4). Knows no appliance and makes no answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from mock_truenas.api.errors import ValidationErrors
from mock_truenas.api.methods.checking import checked_value
from mock_truenas.api.methods.instances import key_of
from mock_truenas.api.methods.method import REQUIRED, Param
from mock_truenas.api.methods.performing import prepared
from mock_truenas.api.methods.queries import query_string_arguments, read_query, read_query_string
from mock_truenas.api.methods.query import Options, Query
from mock_truenas.api.refusals import BadRequest
from mock_truenas.api.routes import Route, Takes
from mock_truenas.appliance.dialect import Dialect

_LONG_NAMES: Final = ("query-filters", "query-options")
_SHORT_NAMES: Final = ("filters", "options")


class Sent(NamedTuple):
    """What a request says besides its path, the id in it decoded, the query string raw; and where it comes from."""

    item: str = ""
    query: str = ""
    body: bytes = b""
    address: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query string, decoded."""
        return parse_qsl(self.query, keep_blank_values=True, errors="replace") if self.query else []


def arguments(route: Route, sent: Sent, dialect: Dialect) -> tuple[dict[str, Any], Query | None]:
    """The checked arguments of a route's method, or its query. Raises BadRequest, ValidationErrors, CallError."""
    match route.takes:
        case Takes.NOTHING:
            return {}, None
        case Takes.QUERY:
            return {}, _query(sent, dialect)
        case Takes.ITEM:
            return {}, _single(route, sent)
        case Takes.BODY:
            return prepared(route.method, _from_body(route.body, sent.body), dialect)
        case Takes.ITEM_AND_BODY:
            first = _id(route.method.params(dialect)[0], sent.item, dialect)
            return prepared(route.method, [first, *_from_body(route.body, sent.body)], dialect)


def _query(sent: Sent, dialect: Dialect) -> Query:
    if not sent.body.strip():
        return read_query_string(sent.pairs, dialect) if sent.query else Query()
    given = _object(parsed(sent.body))
    known = (*_LONG_NAMES, *(_SHORT_NAMES if dialect.has("body_as_filters") else ()))
    _refuse_unknown(given, known)
    filters, options = (
        given.get(long, given.get(short) if short in known else None)
        for long, short in zip(_LONG_NAMES, _SHORT_NAMES, strict=True)
    )
    return read_query((filters if filters is not None else [], options if options is not None else {}), dialect)


def _single(route: Route, sent: Sent) -> Query:
    """A row by the id in the path. Text of digits may be a number or a name."""
    extra = query_string_arguments(pair for pair in sent.pairs if pair[0].startswith("extra."))[1].get("extra", {})
    name, number = key_of(route.method.service), _number(sent.item)
    condition = (name, "=", sent.item) if number is None else (name, "in", [number, sent.item])
    return Query(filters=(condition,), options=Options(extra=extra, get=True))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4000 else None


def _id(param: Param, text: str, dialect: Dialect) -> Any:
    """The id in the path as its parameter wants it; a number only where one fits."""
    number = _number(text)
    if number is None:
        return text
    try:
        checked_value(param.name, param.type, number, dialect)
    except ValidationErrors:
        return text
    return number


def _from_body(params: Sequence[Param], body: bytes) -> list[Any]:
    """The arguments in a body: the only one as it is, several by name. No body at all gives none."""
    if not params or not body.strip():
        return []
    value = parsed(body)
    if len(params) == 1:
        return [value]
    given = _object(value)
    for param in params:
        if param.default is REQUIRED and param.name not in given:
            raise BadRequest(f"{param.name} attribute expected.")
    _refuse_unknown(given, [param.name for param in params])
    last = max((place for place, param in enumerate(params) if param.name in given), default=-1)
    return [given.get(param.name, param.default) for param in params[: last + 1]]


def parsed(body: bytes) -> Any:
    """The JSON of a body. Raises BadRequest."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"json parse error: {error}", 22) from error


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest("Endpoint accepts multiple params, object/dict expected.")
    return value


def _refuse_unknown(given: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise BadRequest(f"The following attributes are not expected: {', '.join(unknown)}")
