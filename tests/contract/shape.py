"""Compares JSON with the notation of the shape files (``shapes/notation.json``). Knows nothing of the mock."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "str": str,
    "int": int,
    "float": float,
    "number": (int, float),
    "bool": bool,
    "any": object,
}
_BOUND: Final = re.compile(r" (>=|<)([0-9.]+)")
_DIRECTORY: Final = Path(__file__).parent / "shapes"

# Release as served, and the version it is: the tags at the top of the fact sheet, and the points of its section 0.
VERSIONS: Final[Mapping[str, str]] = {
    "24.04": "24.04.2.5",
    "24.10": "24.10.2.4",
    "25.04.0": "25.04.0",
    "25.04.1": "25.04.1",
    "25.04": "25.04.2.6",
    "25.10.0": "25.10.0",
    "25.10": "25.10.6",
    "26.0": "26.0.0",
}
RELEASES: Final = tuple(VERSIONS)
REST: Final = tuple(release for release in RELEASES if not release.startswith("26"))
RPC: Final = tuple(release for release in RELEASES if not release.startswith("24"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def applies(text: str, release: str) -> str | None:
    """``text`` without its bounds, or None when they leave the release out."""
    here = _numbers(VERSIONS[release])
    for sign, version in _BOUND.findall(text):
        if (here >= _numbers(version)) != (sign == ">="):
            return None
    return _BOUND.sub("", text)


@dataclass(frozen=True)
class Resource:
    """A call that reads something, and the shape of what it gives. ``rest`` is None where no path is known."""

    method: str
    params: tuple[Any, ...]
    rest: str | None
    body: Any
    returns: Any

    @property
    def title(self) -> str:
        """What a test is called."""
        return self.rest or f"{self.method} {json.dumps(self.params)}"


class Shapes:
    """The shapes of one release."""

    def __init__(self, release: str) -> None:
        self.release = release
        self._shapes: dict[str, Any] = {}
        self.resources: list[Resource] = []
        for file in sorted(_DIRECTORY.glob("*.json")):
            document = json.loads(file.read_text("utf-8"))
            for name, shape in document["shapes"].items():
                assert name not in self._shapes, f"{name} is described twice"
                self._shapes[name] = shape
            for told in document["resources"]:
                method = applies(told["method"], release)
                if method is not None:
                    self.resources.append(
                        Resource(
                            method, tuple(told.get("params", ())), told.get("rest"), told.get("body"), told["returns"]
                        )
                    )

    def problems(self, value: Any, shape: Any, at: str = "$") -> list[str]:
        """Where and how a value differs from a shape."""
        return list(self._problems(value, shape, at))

    def _problems(self, value: Any, shape: Any, at: str) -> Iterator[str]:
        if isinstance(shape, dict):
            yield from self._object(value, self._keys(shape), at)
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
        if shape.startswith("@") and "|" in shape:
            if all(self.problems(value, one) for one in shape.split("|")):
                yield f"{at}: {value!r:.60} is none of {shape}"
        elif shape.startswith("@"):
            yield from self._problems(value, self._shapes[shape[1:]], at)
        elif shape in _TYPES:
            wrong_bool = isinstance(value, bool) and shape in ("int", "float", "number")
            if wrong_bool or (value is None and shape != "any") or not isinstance(value, _TYPES[shape]):
                yield f"{at}: {value!r:.60} is no {shape}"
        elif shape.startswith("/"):
            if not isinstance(value, str) or re.fullmatch(shape[1:-1], value) is None:
                yield f"{at}: {value!r:.60} does not match {shape}"
        elif value not in shape.split("|"):
            yield f"{at}: {value!r:.60} is none of {shape}"

    def _keys(self, shape: dict[str, Any]) -> dict[str, Any]:
        """The keys this release has, those of the shape it extends among them."""
        found: dict[str, Any] = {}
        if "&" in shape:
            found |= self._keys(self._shapes[shape["&"][1:]])
        for key, inner in shape.items():
            name = applies(key, self.release)
            if name is not None and name != "&":
                found[name] = inner
        return found

    def _object(self, value: Any, shape: dict[str, Any], at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {value!r:.60} is no object"
            return
        if "*" in shape:
            shape = dict.fromkeys(value, shape["*"])
        known = {key.removesuffix("?"): key for key in shape}
        patterns = [key for key in shape if key.startswith("/")]
        for key in value:
            name = known.get(key) or next((one for one in patterns if re.fullmatch(one[1:-1], key)), None)
            if name is not None:
                yield from self._problems(value[key], shape[name], f"{at}.{key}")
            elif "..." not in shape:
                yield f"{at}: unexpected key {key}"
        for key in shape:
            if not key.endswith("?") and key != "..." and key not in patterns and key not in value:
                yield f"{at}: missing key {key}"
