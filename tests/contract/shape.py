"""Compares JSON with the notation of the shape files (explained in them). Knows nothing of the mock."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_TYPES: Final[Mapping[str, type]] = {"str": str, "int": int, "float": float, "bool": bool, "any": object}


class Shapes:
    """The shapes of one release."""

    def __init__(self, file: str) -> None:
        document = json.loads((Path(__file__).parent / file).read_text())
        self._shapes: dict[str, Any] = document["shapes"]
        self.resources: dict[str, Any] = document["resources"]

    def problems(self, value: Any, shape: Any, at: str = "$") -> list[str]:
        """Where and how a value differs from a shape."""
        return list(self._problems(value, shape, at))

    def _problems(self, value: Any, shape: Any, at: str) -> Iterator[str]:
        if isinstance(shape, dict):
            yield from self._object(value, shape, at)
        elif isinstance(shape, list):
            if not isinstance(value, list):
                yield f"{at}: {value!r:.60} is no list"
                return
            for place, item in enumerate(value):
                yield from self._problems(item, shape[0], f"{at}[{place}]")
        elif value is None and (shape.endswith("?") or shape == "any"):
            return
        else:
            yield from self._scalar(value, shape.removesuffix("?"), at)

    def _scalar(self, value: Any, shape: str, at: str) -> Iterator[str]:
        if shape.startswith("@"):
            yield from self._problems(value, self._shapes[shape[1:]], at)
        elif shape in _TYPES:
            wrong_bool = isinstance(value, bool) and shape in ("int", "float")
            if wrong_bool or value is None or not isinstance(value, _TYPES[shape]):
                yield f"{at}: {value!r:.60} is no {shape}"
        elif shape.startswith("/"):
            if not isinstance(value, str) or re.fullmatch(shape[1:-1], value) is None:
                yield f"{at}: {value!r:.60} does not match {shape}"
        elif value not in shape.split("|"):
            yield f"{at}: {value!r:.60} is none of {shape}"

    def _object(self, value: Any, shape: dict[str, Any], at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {value!r:.60} is no object"
            return
        if "*" in shape:
            shape = dict.fromkeys(value, shape["*"])
        known = {key.removesuffix("?"): key for key in shape}
        for key in value:
            if key not in known:
                yield f"{at}: unexpected key {key}"
            else:
                yield from self._problems(value[key], shape[known[key]], f"{at}.{key}")
        for key in shape:
            if not key.endswith("?") and key not in value:
                yield f"{at}: missing key {key}"
