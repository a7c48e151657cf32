"""A real run that passed, and its log written anew with one thing flipped in what is on record of the appliance."""

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pulse_sim.checks import judge_run
from pulse_sim.observation import Record, RunLog, Source
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.run.rehearsal import rehearse, scenario

CHECK = {"check": "shows_truth", "connection": "nas-1", "lag": "2m30s", "after_heal": "5m30s"}
RUN = scenario(
    duration="32m",
    appliances={"nas-1": {"release": "24.10", "fixture": "homelab"}},
    sampling={"metrics": "60s", "resources": "60s"},
    timeline=[
        {"at": "4m", "for": "9m", "fault": "pool.status", "on": "nas-1", "with": {"pool": "*", "status": "DEGRADED"}},
        {"at": "16m", "for": "3m", "fault": "net.down", "on": "nas-1"},
    ],
    checks=[CHECK],
)
HELD_FOR_NS = 6 * MINUTE
"""What was true for less than the lag and an interval or two nobody need ever have shown."""

Flip = tuple[str, Callable[[dict[str, Any]], None]]
STATUSES = ("ONLINE", "DEGRADED", "FAULTED", "UNAVAIL", "REMOVED")


@cache
def files(seed: int = 1) -> tuple[bytes, bytes]:
    """Both files of a run that passed."""
    with TemporaryDirectory() as directory:
        done = rehearse(Path(directory), RUN, seed=seed)
        assert done.outcome_of("shows_truth") is Outcome.PASSED, done.results[0]
        found = {path.name: path.read_bytes() for path in Path(directory).rglob("*.jsonl")}
    return found[OBSERVATIONS], found[JOURNAL]


@cache
def log(seed: int = 1) -> RunLog:
    """The run as it was."""
    return RunLog.parse(*files(seed))


@cache
def lasting(seed: int = 1) -> tuple[Record, ...]:
    """The truths that held long enough to be shown, in a sample that nothing excuses."""
    records = log(seed).of(Source.APPLIANCE, "truth", "nas-1")
    ends = [*(record.time_ns for record in records[1:]), log(seed).end_ns]
    return tuple(record for record, end_ns in zip(records, ends, strict=True) if end_ns - record.time_ns >= HELD_FOR_NS)


def flipped(flips: dict[int, dict[str, Any]], seed: int = 1) -> RunLog:
    """The run's log, read back, with other data in some of its records."""
    lines = files(seed)[0].splitlines(keepends=True)
    for number, line in enumerate(lines[1:], start=1):
        seq = json.loads(line)["seq"]
        if seq in flips:
            record = Record.decode(line[:-1])
            lines[number] = Record(seq, record.time_ns, record.source, record.kind, "nas-1", flips[seq]).encode()
    return RunLog.parse(b"".join(lines), files(seed)[1])


def set_to(path: tuple[Any, ...], value: Any) -> Flip:
    def flip(truth: dict[str, Any]) -> None:
        for step in path[:-1]:
            truth = truth[step]
        truth[path[-1]] = value

    return f"{'/'.join(map(str, path))} = {value}", flip


def without(*path: Any) -> Flip:
    def flip(truth: dict[str, Any]) -> None:
        for step in path[:-1]:
            truth = truth[step]
        del truth[path[-1]]

    return f"without {'/'.join(map(str, path))}", flip


def statuses(truth: dict[str, Any]) -> Iterator[Flip]:
    for name, pool in truth["pools"].items():
        yield from (set_to(("pools", name, "status"), status) for status in STATUSES if status != pool["status"])
        yield set_to(("pools", name, "healthy"), not pool["healthy"])
    for name, disk in truth["disks"].items():
        yield from (set_to(("disks", name, "status"), status) for status in STATUSES if status != disk["status"])
    for name, dataset in truth["datasets"].items():
        yield from (set_to(("datasets", name, flag), not dataset[flag]) for flag in ("locked", "readonly"))


def counts(truth: dict[str, Any]) -> Iterator[Flip]:
    """Numbers, and how many things there are."""
    for name, pool in truth["pools"].items():
        yield from (set_to(("pools", name, size), pool[size] + 1) for size in ("size", "allocated", "free"))
        yield from (set_to(("pools", name, "errors", kind), pool["errors"][kind] + 1) for kind in range(3))
    for name, dataset in truth["datasets"].items():
        yield from (set_to(("datasets", name, size), dataset[size] - 1) for size in ("used", "available"))
    for name, disk in truth["disks"].items():
        yield set_to(("disks", name, "size"), disk["size"] + 512)
    for part in ("pools", "datasets", "disks"):
        yield from (without(part, name) for name in truth[part])
        yield from (set_to((part, f"{name}-2"), one) for name, one in truth[part].items())


def serials(truth: dict[str, Any]) -> Iterator[Flip]:
    yield set_to(("system", "serial"), "OTHER")
    for name in truth["disks"]:
        yield from (set_to(("disks", name, "serial"), serial) for serial in ("OTHER", None, ""))


def alerts(truth: dict[str, Any]) -> Iterator[Flip]:
    for index, alert in enumerate(truth["alerts"]):
        yield set_to(("alerts", index, "dismissed"), not alert["dismissed"])
        if not alert["dismissed"]:
            level = "CRITICAL" if alert["level"] in ("WARNING", "INFO", "NOTICE") else "INFO"
            yield set_to(("alerts", index, "level"), level)
            yield set_to(("alerts", index, "klass"), "OtherClass")
            yield set_to(("alerts", index, "uuid"), "another")
            yield without("alerts", index)
    new = {"uuid": "new", "klass": "VolumeStatus", "level": "CRITICAL", "dismissed": False}
    yield "one more alert", lambda flipped: flipped["alerts"].append(new)


KINDS = (statuses, counts, serials, alerts)


def sweep_truth_flips(seeds: range, flips: int = 50) -> list[str]:
    """Some flips of each kind in a run of each seed; what the check did not fail, which is nothing."""
    missed = []
    for seed in seeds:
        stream = random.Random(f"{seed}:flips")
        for kind in KINDS:
            for _ in range(flips):
                record = stream.choice(lasting(seed))
                told, flip = stream.choice(sorted(kind(record.data), key=lambda one: one[0]))
                truth = deepcopy(record.data)
                flip(truth)
                (result,) = judge_run(flipped({record.seq: truth}, seed), [CHECK])
                if result.outcome is not Outcome.FAILED:
                    missed.append(f"seed {seed}: {told}: {result.outcome.value}: {result.observed}")
    return missed
