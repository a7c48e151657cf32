"""Controls of what surrounds a run in its process (determinism D.1): each holds, and is shown red with it off."""

import asyncio
import sys
import time

import pytest

from pulse_sim.kernel import Simulation, worker
from pulse_sim.kernel.worker import run_jobs
from tests.determinism.control import probe, run, shown, without_change
from tests.kernel.testbed import Bench

PROBE = "tests.determinism.worker_probe"


def _unpinned(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker, "_PINNED", {})


def _under(name: str, value: str, function: str, argument: object) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        return run_jobs(function, [argument], preload=())[0]


def test_a_worker_has_one_hash_seed_whatever_its_parent_has() -> None:
    def claim() -> bool:
        return len({repr(_under("PYTHONHASHSEED", seed, f"{PROBE}:set_order", 0)) for seed in ("1", "2", "3")}) == 1

    shown(claim, _unpinned)


def test_a_worker_has_one_time_zone_and_locale_whatever_its_parent_has() -> None:
    def claim() -> bool:
        zone = _under("TZ", "Asia/Tokyo", "tests.kernel.worker_jobs:environment", 0)
        locale = _under("LC_ALL", "POSIX", "tests.kernel.worker_jobs:environment", 0)
        return zone == locale

    shown(claim, _unpinned)


def test_aiohttp_is_loaded_before_any_run_so_that_none_reads_the_machine_s_certificates() -> None:
    """It makes two TLS contexts when it is imported."""

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(run_jobs.__kwdefaults__ or {}, "preload", ())

    shown(lambda: run_jobs(f"{PROBE}:is_loaded", ["aiohttp.connector"]) == [True], off)


def test_local_time_is_utc_whatever_zone_the_machine_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = probe("import time")

    async def main(_bench: Bench) -> int:
        hour: int = module.time.localtime().tm_hour
        return hour

    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    try:
        shown(lambda: run(main, rebind=("probed_package",)) == 0, without_change(time, "localtime"))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_run_in_asyncio_s_debug_mode_is_never_mistaken_for_another() -> None:
    """They change what aiohttp accepts and what is logged; their digests are of their own."""

    def digest() -> str:
        bench = Bench()
        bench.sim.run(asyncio.sleep(1))
        return bench.sim.trace.digest()

    def claim() -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONASYNCIODEBUG", "1")
            told = digest()
            patch.setattr(Simulation, "development_mode", False)
            return told != digest()

    shown(claim, lambda patch: patch.setattr(Simulation, "development_mode", False))


def test_the_order_of_steps_is_promised_within_a_minor_alone() -> None:
    """Since 3.12 a task may begin at once; before, there is nothing of the kind to control."""
    has_eager_tasks = hasattr(asyncio, "eager_task_factory")
    assert has_eager_tasks == (sys.version_info >= (3, 12))

    async def main(_bench: Bench) -> list[str]:
        order: list[str] = []

        async def child() -> None:
            order.append("child")

        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
        task = asyncio.create_task(child())
        order.append("parent")
        await task
        return [*order, task.get_name()]

    first, second = run(main), run(main)
    assert first == second
    assert first[:2] == (["child", "parent"] if has_eager_tasks else ["parent", "child"])
