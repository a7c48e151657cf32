"""Controls of the libraries beside aiohttp (determinism D.4): each holds, and is shown red with it off."""

import ast
import asyncio
import sys
import time
import types
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import hypothesis.core
import prometheus_client
import pytest

import tests
from pulse_sim.kernel import rebinding
from tests.determinism.control import PRODUCT, run, shown, without_alias
from tests.kernel.testbed import START_NS, Bench

START = START_NS // 1_000_000_000


async def _nothing(_bench: Bench) -> None:
    return None


async def _measured(bench: Bench) -> float | None:
    registry = prometheus_client.CollectorRegistry()
    histogram = prometheus_client.Histogram("duration", "A duration.", registry=registry)
    with histogram.time():
        await asyncio.sleep(3)
    return registry.get_sample_value("duration_sum")


def test_a_histogram_measures_virtual_time() -> None:
    off = without_alias("prometheus_client.context_managers:default_timer")
    shown(lambda: round(run(_measured) or 0, 6) == 3, off)


async def _created(_bench: Bench) -> float | None:
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("things", "Things.", registry=registry).inc()
    return registry.get_sample_value("things_created")


def test_a_metric_is_created_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prometheus_client.metrics._use_created", True)  # the stack turns it off for its process
    shown(lambda: run(_created) == START, without_alias("prometheus_client.metrics:time"))


def test_hypothesis_keeps_its_own_clock_while_a_run_is_under_way() -> None:
    """Were `time` patched for everybody, a virtual day would look to it like a test of a day."""
    core: Any = hypothesis.core

    async def main(_bench: Bench) -> bool:
        return time.perf_counter is perf_counter and core.time.perf_counter is perf_counter

    def off(patch: pytest.MonkeyPatch) -> None:
        real = rebinding.Rebinding.__init__
        patch.setattr(
            rebinding.Rebinding,
            "__init__",
            lambda self, packages, source: real(self, (*packages, "hypothesis"), source),
        )

    shown(lambda: bool(run(main)), off)


FOREIGN = ("aiodns", "aiofastnet", "structlog", "time_machine", "uvloop", "simloop")


def test_libraries_that_would_bring_leaks_of_their_own_are_not_installed() -> None:
    assert [name for name in FOREIGN if find_spec(name) is not None] == []


def test_a_run_is_refused_where_a_library_would_go_past_the_loop() -> None:
    assert "aiofastnet" in rebinding.PAST_THE_LOOP

    def claim() -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "aiofastnet", types.ModuleType("aiofastnet"))
            try:
                run(_nothing)
            except Exception as error:
                return "aiofastnet" in str(error)
        return False

    shown(claim, lambda patch: patch.setattr("pulse_sim.kernel.simulation.PAST_THE_LOOP", ()))


def test_the_product_and_its_tests_freeze_no_clock_inside_a_run() -> None:
    """freezegun and time-machine stop monotonic time or slow every reading of it; they are for unit tests alone."""
    for file in PRODUCT:
        imported = {
            name.name.partition(".")[0]
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert not imported & {"freezegun", "time_machine", "structlog", "hypothesis"}, file


def test_no_test_and_no_code_sets_an_event_loop_policy() -> None:
    """It is deprecated, and a loop set for the process would outlive the test that wanted it."""
    called = set()
    for file in (*PRODUCT, *sorted(Path(tests.__file__).parent.rglob("*.py"))):
        called |= {
            (file.name, name)
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.Call)
            and (name := ast.unparse(node.func).rpartition(".")[2]) in {"set_event_loop_policy", "set_event_loop"}
        }
    assert not called
