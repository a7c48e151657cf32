"""The TrueNAS releases that can be served, from ``releases/releases.toml`` (truenas-api 0, 3.1, 5.1)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from typing import Any, Final

from mock_truenas.appliance.dialect import Dialect, dialect


@dataclass(frozen=True)
class Release:
    """One release. ``info_version`` is in ``system.info``, ``version`` is what ``system.version`` says."""

    name: str
    number: str
    info_version: str
    version: str
    product_types: tuple[str, str]
    built_at_s: int
    api_versions: tuple[str, ...]

    @property
    def version_short(self) -> str:
        """What ``system.version_short`` says."""
        return self.number

    @property
    def product_type(self) -> str:
        """The edition of a machine without an enterprise licence."""
        return self.product_types[0]

    @cached_property
    def dialect(self) -> Dialect:
        """The API as this release speaks it by itself: REST, and JSON-RPC on ``/api/current``."""
        return dialect(self.number)

    def dialect_of(self, api_version: str) -> Dialect:
        """The API of ``v25.04.0`` and the like. Raises KeyError when this release does not ship it."""
        if api_version not in self.api_versions:
            raise KeyError(api_version)
        return dialect(api_version.removeprefix("v"))


def _read() -> dict[str, Release]:
    text = resources.files("mock_truenas").joinpath("releases/releases.toml").read_text(encoding="utf-8")
    return {row["name"]: _release(row) for row in tomllib.loads(text)["release"]}


def _release(row: Mapping[str, Any]) -> Release:
    home, enterprise = row["product_types"]
    return Release(
        name=row["name"],
        number=row["version"],
        info_version=row["info_version"],
        version=row["system_version"],
        product_types=(home, enterprise),
        built_at_s=row["built_at_s"],
        api_versions=tuple(row["api"]),
    )


RELEASES: Final[Mapping[str, Release]] = _read()


def find_release(name: str) -> Release:
    """The release of that name. Raises ValueError naming those available."""
    release = RELEASES.get(name)
    if release is None:
        near = get_close_matches(name, RELEASES, 1)
        hint = f" did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"release {name!r} is not a release that can be served;{hint} available: {', '.join(RELEASES)}"
        )
    return release
