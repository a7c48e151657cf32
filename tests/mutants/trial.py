"""Tries changes: a process that has loaded pytest, and nothing of the project, forks one child for each of them.

In the child the changed source stands in for the module's file; nothing on disk is touched. Reads a mutant's id a line
from stdin and answers a line of JSON: pytest's exit status and what it printed.
"""

import importlib.abc
import importlib.util
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any, Final

import hypothesis  # noqa: F401 - loaded once for all children
import pytest

from tests.mutants.catalogue import ROOT, Mutant, mutants

OUTPUT_KEPT: Final = 4000
OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-W", "ignore")


class ChangedSource(SourceFileLoader):
    """Loads the changed source in place of the file's own; no compiled file is read or written."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(ROOT / mutant.file))
        self._source = mutant.source().encode()
        self.is_asked = False

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Without them nothing compiled is looked for."""
        raise OSError(path)

    def get_data(self, path: str) -> bytes:
        """The changed source."""
        self.is_asked = True
        return self._source


class Changed(importlib.abc.MetaPathFinder):
    """Finds the changed module before anybody else does."""

    def __init__(self, mutant: Mutant) -> None:
        self.loader = ChangedSource(mutant)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Only the changed module."""
        if fullname != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.loader.path, loader=self.loader)

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Stand in front of pytest's own finder, which takes every module of a distribution with a plug-in for its."""
        sys.meta_path.insert(0, self)


def tried(mutant: Mutant) -> dict[str, Any]:
    """What pytest says with the change in place; to be called in a process of its own."""
    loaded = [name for name in sys.modules if name == "pulse_sim" or name.startswith("pulse_sim.")]
    if loaded:
        raise RuntimeError(f"{loaded[0]} was loaded before the change")
    changed = Changed(mutant)
    told = io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        status = int(pytest.main([*OPTIONS, *mutant.killed_by], plugins=[changed]))
    return {"status": status, "loaded": changed.loader.is_asked, "output": told.getvalue()[-OUTPUT_KEPT:]}


def in_a_child(mutant: Mutant) -> dict[str, Any]:
    """The same in a forked child, so that the next change begins anew."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            answer = tried(mutant)
        except BaseException as error:
            answer = {"status": -1, "loaded": False, "output": f"{type(error).__name__}: {error}"}
        with os.fdopen(write_end, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(told) if told else {"status": -1, "loaded": False, "output": "the child died"}
    return dict(answer)


def serve() -> None:
    """One answer for each id asked for, until stdin ends."""
    known = {mutant.id: mutant for mutant in mutants()}
    os.chdir(ROOT)
    for line in sys.stdin:
        print(json.dumps(in_a_child(known[line.strip()])), flush=True)


if __name__ == "__main__":
    serve()
