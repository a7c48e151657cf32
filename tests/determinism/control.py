"""How a control is shown: what it is for holds with it, and does not with exactly this control off."""

import random
import sys
import types
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import mock_truenas
import pulse_sim
from pulse_sim.kernel import KernelError, lookalikes, rebinding
from pulse_sim.kernel.substitution import Substitutions
from tests.kernel.testbed import Bench

Claim = Callable[[], bool]
Disturb = Callable[[], None]
HEAPS = range(5)
S = 1_000_000_000
PRODUCT = [
    file
    for package in (pulse_sim, mock_truenas)
    for root in package.__path__
    for file in sorted(Path(root).rglob("*.py"))
]
"""Every source file of the two packages."""


def shown(claim: Claim, off: Callable[[pytest.MonkeyPatch], None]) -> None:
    """Run the same claim with the control and without it. Without it a run may also come to grief."""
    assert claim()
    with pytest.MonkeyPatch.context() as patch:
        off(patch)
        try:
            held = claim()
        except (KernelError, aiohttp.ClientError, AttributeError, RuntimeError, OSError):
            held = False
    assert not held, "it holds with the control off: this control controls nothing"
    assert claim()


def without_alias(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Rebind all but these aliases, named ``module:path``."""
    real = rebinding.aliases

    def off(patch: pytest.MonkeyPatch) -> None:
        left_out = {
            name for name in names if any(_named(alias) == name for alias in real(("aiohttp", "prometheus_client")))
        }
        assert left_out == set(names)
        patch.setattr(
            rebinding, "aliases", lambda packages: (one for one in real(packages) if _named(one) not in left_out)
        )

    return off


def _named(alias: Any) -> str:
    return f"{alias.module}:{alias.path}"


def without_change(module: types.ModuleType, *names: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Look-alikes of ``module`` that have these names as the real one has them."""
    real = lookalikes.changes

    def changes(source: Any) -> Any:
        changed = real(source)
        for name in names:
            changed[module][name] = vars(module)[name]
        return changed

    return lambda patch: patch.setattr("pulse_sim.kernel.rebinding.changes", changes)


def without_substitution(name: str, holder: str = "") -> Callable[[pytest.MonkeyPatch], None]:
    """All substitutions but those of attributes called ``name``, of the module or class called ``holder`` if given."""
    real = Substitutions.set

    def substitute(self: Any, target: Any, attribute: str, value: Any) -> None:
        if attribute != name or holder not in {"", getattr(target, "__name__", None)}:
            real(self, target, attribute, value)

    return lambda patch: patch.setattr(Substitutions, "set", substitute)


def same_in_every_heap(observe: Callable[[Disturb], Any]) -> bool:
    """Whether an observation is the same after several heap histories.

    ``observe`` calls what it is given between the things it makes, which disturbs where the next one will lie.
    """
    return len({repr(observe(_disturbance(shape))) for shape in HEAPS}) == 1


def _disturbance(shape: int) -> Disturb:
    choose = random.Random(shape)
    kept: list[Any] = []

    def disturb() -> None:
        kept.extend([bytearray(choose.randrange(1_000)) for _ in range(choose.randrange(20))])
        kept.extend([type("Junk", (), {})() for _ in range(choose.randrange(3))])
        kept.extend([[] for _ in range(choose.randrange(20))])
        choose.shuffle(kept)
        del kept[::3]

    disturb()
    return disturb


def run(main: Callable[[Bench], Coroutine[Any, Any, Any]], seed: int = 7, **options: Any) -> Any:
    """The result of ``main`` on a bench of its own, as the host pulse."""
    bench = Bench(seed, **options)
    return bench.sim.run(main(bench), host=bench.pulse)


def same_of_seed(main: Callable[[Bench], Coroutine[Any, Any, Any]], times: int = 3) -> bool:
    """Whether one seed gives one result, and another seed another."""
    results = [repr(run(main, seed)) for seed in (1,) * times + (2,)]
    return len(set(results[:times])) == 1 and results[times] not in results[:times]


def probe(source: str, name: str = "probed_package") -> Any:
    """A module of its own text, as an import would make it."""
    sys.modules[name] = module = types.ModuleType(name)
    exec(source, module.__dict__)  # noqa: S102 - the test's own text
    return module


async def fetch(session: aiohttp.ClientSession, url: str = "http://nas-1/", **options: Any) -> bytes:
    """The body of one answer."""
    async with session.get(url, **options) as response:
        return await response.read()
