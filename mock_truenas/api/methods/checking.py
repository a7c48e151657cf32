"""Arguments of a call against what the method takes (truenas-api 2.4, 5.2, 5.5). Knows no face and runs nothing.

From 25.04 on the words are pydantic's, because the appliance's own models are; before that they come from a table.
"""

import errno
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from mock_truenas.api.errors import CallError, Problem, ValidationErrors
from mock_truenas.api.methods.method import REQUIRED, Method, Param
from mock_truenas.appliance.dialect import Dialect

LONGEST_TEXT: Final = 1024
_STRICT: Final = ConfigDict(strict=True, str_max_length=LONGEST_TEXT)


class Given(BaseModel):
    """Base of the objects a method takes: unknown keys are refused, nothing is converted, text is capped.

    A field that may be longer says so itself: ``Annotated[str, Field(max_length=…)]``.
    """

    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=LONGEST_TEXT)


# Error types of pydantic in the words of 24.x.
_OLD_WORDS: Final[Mapping[str, str]] = {
    "missing": "attribute required",
    "string_type": "Not a string",
    "string_unicode": "Not a string",
    "string_too_long": "The value may not be longer than {max_length} characters",
    "string_too_short": "The value may not be shorter than {min_length} characters",
    "string_pattern_mismatch": "Does not match {pattern}",
    "int_type": "Not an integer",
    "int_from_float": "Not an integer",
    "float_type": "Not a floating point number",
    "bool_type": "Not a boolean",
    "list_type": "Not a list",
    "dict_type": "A dict was expected",
    "model_type": "A dict was expected",
    "model_attributes_type": "A dict was expected",
    "mapping_type": "A dict was expected",
    "extra_forbidden": "Field was not expected",
    "literal_error": "Invalid choice: {input}",
    "enum": "Invalid choice: {input}",
    "greater_than": "Should be greater than {gt}",
    "greater_than_equal": "Should be greater or equal than {ge}",
    "less_than": "Should be less than {lt}",
    "less_than_equal": "Should be less or equal than {le}",
    "too_short": "Not enough items: {min_length} at least",
    "too_long": "Too many items: {max_length} at most",
}
_PLACES_OF_A_CHOICE: Final = frozenset({"int", "float", "str", "bool", "constrained-str", "constrained-int"})
_ADAPTERS: Final[dict[int, tuple[object, TypeAdapter[Any]]]] = {}


def arguments_of(method: Method, given: Sequence[Any], dialect: Dialect) -> dict[str, Any]:
    """Positional JSON values by parameter name, checked, defaults filled in; an object of a model is its instance.

    Raises CallError for too many, ValidationErrors for all that is wrong with the others.
    """
    params = method.params(dialect)
    if len(given) > len(params):
        raise CallError(f"Too many arguments (expected {len(params)}, found {len(given)})")
    checked: dict[str, Any] = {}
    problems: list[Problem] = []
    for place, param in enumerate(params):
        if place < len(given):
            try:
                checked[param.name] = checked_value(param.name, param.type, given[place], dialect)
            except ValidationErrors as errors:
                problems += errors.problems
        elif param.default is REQUIRED:
            problems.append((param.name, required(dialect), errno.EINVAL))
        else:
            checked[param.name] = default_of(param)
    if problems:
        raise ValidationErrors(problems)
    return checked


def checked_value(name: str, expected: Any, value: Any, dialect: Dialect) -> Any:
    """One value against a type. Raises ValidationErrors whose paths begin with ``name``."""
    try:
        return adapter(expected).validate_python(value, strict=True)
    except ValidationError as error:
        raise ValidationErrors(problems_of(name, error, dialect)) from None


def problems_of(name: str, error: ValidationError, dialect: Dialect) -> list[Problem]:
    """What pydantic found, in the words of the version. Before 25.04 a place is told once, without the alternatives."""
    modern = dialect.has("strict_models")
    problems: dict[object, Problem] = {}
    for detail in error.errors(include_url=False):
        place = [str(step) for step in detail["loc"] if modern or step not in _PLACES_OF_A_CHOICE]
        path = ".".join([name, *place] if name else place)
        words = _modern_words(detail) if modern else _old_words(detail)
        problems.setdefault((path, words) if modern else path, (path, words, errno.EINVAL))
    return list(problems.values())


def required(dialect: Dialect) -> str:
    """How the version says that a value is missing."""
    return "Field required" if dialect.has("strict_models") else _OLD_WORDS["missing"]


def default_of(param: Param) -> Any:
    """The default of a parameter: a fresh value, and for a model its instance."""
    expected = param.type
    if isinstance(expected, type) and issubclass(expected, BaseModel) and isinstance(param.default, dict):
        return expected.model_validate(param.default)
    return param.default.copy() if isinstance(param.default, dict | list) else param.default


def plain(expected: Any, value: Any) -> Any:
    """A checked value as plain JSON again."""
    # Not mode="json": that encodes, and half of a surrogate pair is JSON but no UTF-8.
    return adapter(expected).dump_python(value, warnings=False)


def adapter(expected: Any) -> TypeAdapter[Any]:
    """The adapter of a type, made once; the type is kept with it, so that its id stays its own."""
    known = _ADAPTERS.get(id(expected))
    if known is None:
        try:
            made: TypeAdapter[Any] = TypeAdapter(expected, config=_STRICT)
        except PydanticUserError:  # a model says itself how strict it is
            made = TypeAdapter(expected)
        known = _ADAPTERS[id(expected)] = (expected, made)
    return known[1]


def _modern_words(detail: Mapping[str, Any]) -> str:
    return str(detail["msg"]).removeprefix("Value error, ")


def _old_words(detail: Mapping[str, Any]) -> str:
    known = _OLD_WORDS.get(detail["type"])
    if known is None:
        return _modern_words(detail)
    if detail["input"] is None and detail["type"].endswith("_type"):
        return "null not allowed"
    return known.format(input=detail["input"], **detail.get("ctx", {}))
