"""Datasets fill: how a state looks after a step of ten minutes. Pure; the same step always gives the same."""

from collections.abc import Iterable
from dataclasses import replace

from mock_truenas.appliance import draws
from mock_truenas.appliance.model import Dataset, Pool, State

_BLOCK = 4096
_WRITABLE = ("ONLINE", "DEGRADED")


def growing(state: State) -> tuple[str, ...]:
    """The datasets that gain anything by themselves."""
    return tuple(dataset.name for dataset in state.datasets.values() if dataset.growth > 0)


def filled(state: State, names: Iterable[str], seed: int, step: int, steps_an_hour: int = 6) -> State:
    """The state one step later. Nothing grows beyond what is available or its quota; parents and pool follow."""
    gains: dict[str, int] = {}
    left: dict[str, int] = {}
    for name in names:
        dataset = state.datasets.get(name)
        pool = None if dataset is None else state.pools.get(dataset.pool)
        if dataset is None or pool is None or not _takes_writes(dataset, pool):
            continue
        room = left.setdefault(pool.name, _room(state, pool))
        drawn = dataset.growth / steps_an_hour * 2 * draws.fraction(seed, "fill", name, step)
        gain = min(int(drawn), room, _below_quota(dataset)) // _BLOCK * _BLOCK
        if gain > 0:
            left[pool.name] -= gain
            while name:
                gains[name] = gains.get(name, 0) + gain
                name = name.rpartition("/")[0]
    return _with(state, gains) if gains else state


def _takes_writes(dataset: Dataset, pool: Pool) -> bool:
    return pool.status in _WRITABLE and not dataset.locked and not dataset.readonly


def _room(state: State, pool: Pool) -> int:
    """What the pool's root may still take, by its own number and by what the pool has free."""
    return max(0, min(state.datasets[pool.name].available, pool.size - pool.allocated))


def _below_quota(dataset: Dataset) -> int:
    limits = [int(dataset.settings[name]) for name in ("quota", "refquota") if dataset.settings.get(name, "0") != "0"]
    room = min(limits, default=1 << 62) - dataset.used
    return max(0, min(room, dataset.available))


def _with(state: State, gains: dict[str, int]) -> State:
    """The state with datasets grown; every other dataset of their pools has that much less available."""
    pools, datasets = dict(state.pools), dict(state.datasets)
    for root in [name for name in gains if "/" not in name]:
        pool = pools[root]
        usable = datasets[root].used + datasets[root].available
        # Parity and padding: a byte written takes more of the pool than of the dataset.
        share = gains[root] * pool.size // max(1, usable)
        pools[root] = replace(pool, allocated=min(pool.size, pool.allocated + share))
    for name, dataset in state.datasets.items():
        gain = gains.get(name, 0)
        taken = gains.get(dataset.pool, 0)
        if taken:
            datasets[name] = _moved(dataset, dataset.used + gain, max(0, dataset.available - taken))
    return replace(state, pools=pools, datasets=datasets)


_COPIED = tuple(name for name in Dataset.__slots__ if name not in ("used", "available"))
_SET = object.__setattr__


def _moved(dataset: Dataset, used: int, available: int) -> Dataset:
    """A copy with two numbers changed; ``replace`` takes four times as long, and there may be ten thousand."""
    copy = object.__new__(Dataset)
    for name in _COPIED:
        _SET(copy, name, getattr(dataset, name))
    _SET(copy, "used", used)
    _SET(copy, "available", available)
    return copy
