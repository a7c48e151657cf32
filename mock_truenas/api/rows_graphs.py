"""What reporting can draw: series of the processor, memory, disks and interfaces at any second (truenas-api 3.7).

Knows no query: which instants are wanted, and how the answer looks, is ``methods.reporting``'s business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from mock_truenas.api.rows_curves import Curve, seed_of
from mock_truenas.appliance import draws
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.model import Disk
from mock_truenas.appliance.nas import Appliance

_SECOND_NS: Final = 1_000_000_000
_MIB: Final = 1024**2
Value: TypeAlias = float | int | None


@dataclass(frozen=True)
class Drawing:
    """The lines of one graph: their legends, and all their values at a Unix second."""

    legend: tuple[str, ...]
    sample: Callable[[int], list[Value]]


@dataclass(frozen=True)
class Graph:
    """A kind of graph; one without identifiers has None for what lists them, and is drawn for its own name."""

    name: str
    title: str
    vertical_label: str
    draw: Callable[[Appliance, Dialect, str], Drawing]
    identifiers: Callable[[Appliance, Dialect], Mapping[str, str]] | None = None

    def names(self, appliance: Appliance, dialect: Dialect) -> list[str] | None:
        """The identifiers it can be asked for."""
        return None if self.identifiers is None else list(self.identifiers(appliance, dialect))


# -- series, shared with what is told in real time --------------------------------------------------------------------


def curves_of(appliance: Appliance) -> Callable[..., Curve]:
    """A maker of curves whose seeds are the appliance's own: ``make("disk", "sda", typical=…)``."""
    base = draws.number(appliance.seed, "reporting")

    def make(*names: object, typical: float, **shape: Any) -> Curve:
        return Curve(seed_of(base, *names), typical, **shape)

    return make


def cores(appliance: Appliance) -> list[Curve]:
    """Per cent in use of each core."""
    host, make = appliance.state.host, curves_of(appliance)
    typical = min(90.0, 100.0 * host.typical_load / max(1, host.cores)) + 2.0
    shape = {"daily": 0.2, "wander": 0.5, "jitter": 0.25, "period_s": 60, "lowest": 0.1, "highest": 100.0}
    return [make("cpu", number, typical=typical, **shape) for number in range(host.cores)]


def core_temperatures(appliance: Appliance) -> list[Curve]:
    """°C of each core."""
    make = curves_of(appliance)
    shape = {"daily": 0.05, "wander": 0.08, "jitter": 0.02, "period_s": 300}
    return [make("cputemp", number, typical=44.0, **shape) for number in range(appliance.state.host.cores)]


def available_memory(appliance: Appliance) -> Curve:
    """Bytes that programs could have."""
    memory = appliance.state.host.memory
    return curves_of(appliance)(
        "memory", typical=0.31 * memory, wander=0.12, jitter=0.01, period_s=600, highest=float(memory)
    )


def arc_size(appliance: Appliance) -> Curve:
    """Bytes of the read cache."""
    memory = appliance.state.host.memory
    return curves_of(appliance)("arc", typical=0.47 * memory, wander=0.08, jitter=0.005, period_s=900)


def traffic(appliance: Appliance, interface: str) -> tuple[Curve, Curve]:
    """Kilobit/s received and sent; nothing without a link."""
    make, alive = curves_of(appliance), link_is_up(appliance, interface)
    shape = {"daily": 0.5, "wander": 0.8, "jitter": 0.3, "period_s": 45}
    return (
        make("interface", interface, "received", typical=5200.0 if alive else 0.0, **shape),
        make("interface", interface, "sent", typical=2100.0 if alive else 0.0, **shape),
    )


def throughput(make: Callable[..., Curve], disk: Disk) -> tuple[Curve, Curve]:
    """KiB/s read and written; a disk without a pool idles."""
    scale = 1.0 if disk.pool is not None else 0.01
    shape = {"daily": 0.4, "wander": 0.9, "jitter": 0.4, "period_s": 30}
    return (
        make("disk", disk.name, "reads", typical=740.0 * scale, **shape),
        make("disk", disk.name, "writes", typical=910.0 * scale, **shape),
    )


def link_is_up(appliance: Appliance, interface: str) -> bool:
    """Whether an interface has a link."""
    row = appliance.state.tables.get("interface", {}).get(interface, {})
    return bool(row.get("state", {}).get("link_state", "LINK_STATE_UP") == "LINK_STATE_UP")


def interfaces(appliance: Appliance) -> list[str]:
    """Names of the interfaces."""
    return [str(row["name"]) for row in appliance.state.tables.get("interface", {}).values()]


# -- graphs ------------------------------------------------------------------------------------------------------------


def disk_identifier(disk: Disk, dialect: Dialect) -> str:
    """How reporting names a disk: ``sda``, or since 25.04 its type, model and serial with it."""
    if not dialect.has("long_disk_identifiers"):
        return disk.name
    parts = [disk.name, f"Type: {disk.type}"]
    parts += [f"Model: {disk.model}"] if disk.model else []
    parts += [f"Serial: {disk.serial}"] if disk.serial else []
    return " | ".join(parts)


def _disks(appliance: Appliance, dialect: Dialect) -> dict[str, str]:
    return {disk_identifier(disk, dialect): name for name, disk in appliance.state.disks.items()}


def _warm_disks(appliance: Appliance, dialect: Dialect) -> dict[str, str]:
    found = appliance.state.disks.items()
    return {disk_identifier(disk, dialect): name for name, disk in found if disk.temperature is not None}


def _interfaces(appliance: Appliance, dialect: Dialect) -> dict[str, str]:
    del dialect
    return {name: name for name in interfaces(appliance)}


def _cpu(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del name
    curves = cores(appliance)
    if dialect.has("cpu_by_core"):
        return Drawing(("cpu", *_numbered(curves)), partial(_mean_first, curves))

    def times(at_s: int) -> list[Value]:
        used = sum(curve.at(at_s) for curve in curves) / max(1, len(curves))
        shares = (0.33 * used, 0.58 * used, 100.0 - used, 0.03 * used, 0.02 * used, 0.04 * used)
        return [round(share, 3) for share in shares]

    return Drawing(("system", "user", "idle", "softirq", "nice", "iowait"), times)


def _cpu_temperature(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del name
    curves = core_temperatures(appliance)
    if dialect.has("cpu_by_core"):
        return Drawing(("cpu", *_numbered(curves)), partial(_mean_first, curves))
    return Drawing(_numbered(curves), lambda at_s: [round(curve.at(at_s), 1) for curve in curves])


def _memory(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect, name
    curve = available_memory(appliance)
    return Drawing(("available",), lambda at_s: [round(curve.at(at_s))])


def _arc_size(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect, name
    curve = arc_size(appliance)
    return Drawing(("size",), lambda at_s: [round(curve.at(at_s) / _MIB, 3)])


def _load(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect, name
    make, typical = curves_of(appliance), appliance.state.host.typical_load
    spans = ((0.5, 60), (0.25, 300), (0.12, 900))
    curves = [make("load", period, typical=typical, wander=walk, jitter=0.0, period_s=period) for walk, period in spans]
    return Drawing(("shortterm", "midterm", "longterm"), lambda at_s: [round(curve.at(at_s), 2) for curve in curves])


def _uptime(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect, name
    booted_at_s = appliance.state.host.booted_at_ns // _SECOND_NS
    return Drawing(("uptime",), lambda at_s: [max(0, at_s - booted_at_s)])


def _interface(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect
    curves = traffic(appliance, name)
    return Drawing(("received", "sent"), lambda at_s: [round(curve.at(at_s), 3) for curve in curves])


def _disk(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect
    curves = throughput(curves_of(appliance), appliance.state.disks[name])
    return Drawing(("reads", "writes"), lambda at_s: [round(curve.at(at_s), 3) for curve in curves])


def _disk_temperature(appliance: Appliance, dialect: Dialect, name: str) -> Drawing:
    del dialect
    disk = appliance.state.disks[name]
    return Drawing(("temperature_value",), lambda at_s: [appliance.temperature(disk, at_s * _SECOND_NS)])


def _numbered(curves: list[Curve]) -> tuple[str, ...]:
    return tuple(f"cpu{number}" for number in range(len(curves)))


def _mean_first(curves: list[Curve], at_s: int) -> list[Value]:
    each: list[Value] = [round(curve.at(at_s), 2) for curve in curves]
    mean = sum(value or 0.0 for value in each) / max(1, len(each))
    return [round(mean, 2), *each]


GRAPHS: Final[Mapping[str, Graph]] = {
    graph.name: graph
    for graph in (
        Graph("cpu", "CPU Usage", "%CPU", _cpu),
        Graph("cputemp", "CPU Temperature", "Celsius", _cpu_temperature),
        Graph("disk", "Disk I/O ({identifier})", "Kibibytes/s", _disk, _disks),
        Graph("interface", "Interface Traffic ({identifier})", "Kilobits/s", _interface, _interfaces),
        Graph("load", "System Load Average", "Processes", _load),
        Graph("memory", "Physical memory utilization", "Bytes", _memory),
        Graph("uptime", "System Uptime", "Seconds", _uptime),
        Graph("arcsize", "ARC Size", "Mebibytes", _arc_size),
        Graph("disktemp", "Disks Temperature {identifier}", "Celsius", _disk_temperature, _warm_disks),
    )
}
