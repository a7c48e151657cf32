"""Every alias of a clock or generator in what runs inside a simulation, as a fresh process finds it.

``python -m tests.determinism.aliases`` writes the list that `test_aliases` compares with. Read what is new before
writing it: is the alias on a path that a run takes, and is its look-alike complete?
"""

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from pulse_sim.kernel.alias_search import Alias
from pulse_sim.kernel.lookalikes import CHANGED
from pulse_sim.kernel.rebinding import aliases

FILE: Final = Path(__file__).with_name("aliases.yaml")
REBOUND: Final = ("aiohttp", "aiohappyeyeballs", "prometheus_client", "pulse_sim.stack", "mock_truenas")
"""The packages of every simulated run."""
BESIDE: Final = (
    "aiosignal",
    "attr",
    "cryptography",
    "frozenlist",
    "idna",
    "multidict",
    "propcache",
    "pydantic",
    "yarl",
)
"""What runs beside them and is not rebound."""
MOSTLY_ELSE: Final = frozenset({"os", "asyncio", "ssl"})
"""Modules that most files import for paths, tasks and contexts: listed only where a name that changes is used."""
_NOT_IMPORTED: Final = (
    *("aiohttp.pytest_plugin", "aiohttp.worker", "attr._version_info", "pydantic.v1", "pydantic.mypy"),
    *(
        "pydantic._hypothesis_plugin",
        "prometheus_client.bridge",
        "prometheus_client.twisted",
        "prometheus_client.django",
    ),
    *("mock_truenas.pytest_plugin", "mock_truenas.cli", "mock_truenas.__main__", "idna.__main__", "idna.cli"),
    *("prometheus_client.aiohttp", "aiohttp.test_utils"),
)


def load(packages: tuple[str, ...]) -> None:
    """Import every module of the packages, but for the few that need what is not installed, or are no library."""
    for package in packages:
        module = importlib.import_module(package)
        if hasattr(module, "__path__"):
            for found in pkgutil.walk_packages(module.__path__, f"{package}.", onerror=str):
                if not any(found.name == name or found.name.startswith(f"{name}.") for name in _NOT_IMPORTED):
                    importlib.import_module(found.name)


def listed(packages: tuple[str, ...]) -> Iterator[str]:
    """``module:attribute path = real`` of every alias."""
    for alias in aliases(packages):
        used = _used(alias) if alias.real in MOSTLY_ELSE else [""]
        yield from (f"{alias.module}:{alias.path} = {alias.real}{name}" for name in used)


def _used(alias: Alias) -> list[str]:
    """Names of a module that change and that the file with the alias reads off it."""
    file = sys.modules[alias.module].__file__
    source = Path(file).read_text("utf-8") if file is not None and file.endswith(".py") else ""
    names = sorted(CHANGED[sys.modules[alias.real]])
    return [f".{name}" for name in names if re.search(rf"\b{alias.path}\.{name}\b", source)]


def document() -> dict[str, dict[str, Any]]:
    """What the committed file holds: by package whether a run rebinds it, and its aliases."""
    load((*REBOUND, *BESIDE))
    return {
        package: {"rebound": package in REBOUND, "aliases": sorted(listed((package,)))}
        for package in (*REBOUND, *BESIDE)
    }


def committed() -> dict[str, dict[str, Any]]:
    """The committed file."""
    read: dict[str, dict[str, Any]] = YAML(typ="safe").load(FILE.read_text("utf-8"))
    return read


def write() -> None:
    """Write the committed file anew."""
    found = document()
    writer = YAML()
    writer.width = 200
    with FILE.open("w", encoding="utf-8") as file:
        file.write("# Aliases of clocks and generators by package. Written by python -m tests.determinism.aliases.\n")
        writer.dump(found, file)


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(json.dumps(document()))
    else:
        write()
