"""What the appliance tells in real time: ``reporting.realtime``, ``app.stats``, metrics (truenas-api 3.7).

Pure functions of the appliance and an instant; who subscribed, and how often they are told, is the sockets' business.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mock_truenas.api import rows_graphs as graphs
from mock_truenas.api.errors import CallError
from mock_truenas.api.rows_apps import live_on
from mock_truenas.api.rows_curves import Curve
from mock_truenas.appliance.dialect import Dialect
from mock_truenas.appliance.nas import Appliance

_SECOND_NS: Final = 1_000_000_000
_KIB: Final = 1024
_BYTES_PER_KILOBIT: Final = 125
_AVERAGE_TRANSFER: Final = 65_536
# Parts of the time a core is in use.
_SHARES: Final = {"user": 0.58, "nice": 0.01, "system": 0.33, "irq": 0.01, "softirq": 0.05, "steal": 0.0}
_ARC_COUNTERS: Final = (
    "demand_accesses_per_second",
    "demand_data_accesses_per_second",
    "demand_metadata_accesses_per_second",
    "demand_data_hits_per_second",
    "demand_data_io_hits_per_second",
    "demand_data_misses_per_second",
    "demand_data_hit_percentage",
    "demand_data_io_hit_percentage",
    "demand_data_miss_percentage",
    "demand_metadata_hits_per_second",
    "demand_metadata_io_hits_per_second",
    "demand_metadata_misses_per_second",
    "demand_metadata_hit_percentage",
    "demand_metadata_io_hit_percentage",
    "demand_metadata_miss_percentage",
    "l2arc_hits_per_second",
    "l2arc_misses_per_second",
    "total_l2arc_accesses_per_second",
    "l2arc_access_hit_percentage",
    "l2arc_miss_percentage",
    "bytes_read_per_second_from_the_l2arc",
    "bytes_written_per_second_to_the_l2arc",
)


def realtime(
    appliance: Appliance, dialect: Dialect, now_ns: int, *, connected: bool = True
) -> Mapping[str, Any] | None:
    """Fields of one ``reporting.realtime`` event; None where the appliance stays silent.

    ``connected`` False is a netdata that does not answer; while the appliance boots it does not either. Then 24.x and
    25.04 say ``failed_to_connect`` and nothing else, and 25.10 says nothing at all.
    """
    told = dialect.has("realtime_tells_failure")
    if not connected or appliance.state.host.state != "READY":
        return {"failed_to_connect": True} if told else None
    at_s = now_ns // _SECOND_NS
    shape = _grouped if dialect.has("realtime_by_class") else _flat
    fields = shape(appliance, at_s)
    if dialect.has("realtime_pools"):
        fields["pools"] = _pools(appliance)
    return fields | ({"failed_to_connect": False} if told else {})


def app_stats(appliance: Appliance, dialect: Dialect, now_ns: int) -> list[dict[str, Any]]:
    """Fields of one ``app.stats`` event: a list, one entry for each running app. Raises CallError without apps."""
    del dialect
    if live_on(appliance) is None:
        raise CallError("Apps are not available")
    at_s = now_ns // _SECOND_NS
    rows = appliance.state.tables.get("app", {}).values()
    return [_app(graphs.curves_of(appliance), row["name"], at_s) for row in rows if row.get("state") == "RUNNING"]


def instance_metrics(appliance: Appliance, dialect: Dialect, now_ns: int, key: str) -> dict[str, Any] | None:
    """Fields of one ``virt.instance.metrics`` event; None when no such instance runs."""
    del dialect
    row = appliance.state.tables.get("virt.instance", {}).get(key)
    if row is None or row.get("status") != "RUNNING":
        return None
    at_s, curve = now_ns // _SECOND_NS, graphs.curves_of(appliance)
    return {
        "cpu": {"cpu_user_percentage": round(curve("virt", key, "cpu", typical=12.0).at(at_s), 2)},
        "mem_usage": {"mem_usage_ram_mib": round(curve("virt", key, "memory", typical=700.0).at(at_s), 2)},
        "io_full_pressure": {"io_full_pressure_full_60_percentage": 0.0},
    }


def _grouped(appliance: Appliance, at_s: int) -> dict[str, Any]:
    """The form of 24.x."""
    memory, arc = appliance.state.host.memory, round(graphs.arc_size(appliance).at(at_s))
    available = min(round(graphs.available_memory(appliance).at(at_s)), memory - arc)
    classes = {
        "apps": round(0.55 * (memory - arc - available)),
        "arc": arc,
        "buffers": memory // 512,
        "cache": memory // 64,
        "page_tables": memory // 2048,
        "slab_cache": memory // 128,
        "unused": available,
    }
    extra = {"inactive": memory // 32, "committed": memory // 4, "active": memory // 16, "vmalloc_used": memory // 1024}
    hits = graphs.curves_of(appliance)("arc", "hits", typical=96.0, wander=0.03, jitter=0.01, highest=100.0)
    virtual = {
        "total": memory,
        "available": available,
        "percent": round(100 * (memory - available) / memory, 1),
        "used": memory - available,
        "free": available // 2,
        "active": extra["active"],
        "inactive": extra["inactive"],
        "buffers": classes["buffers"],
        "cached": classes["cache"],
        "shared": memory // 4096,
        "slab": classes["slab_cache"],
    }
    return {
        "zfs": {"arc_max_size": memory // 2, "arc_size": arc, "cache_hit_ratio": round(hits.at(at_s) / 100, 4)},
        "memory": {"classes": classes, "extra": extra},
        "virtual_memory": virtual,
        "cpu": _cpu_times(appliance, at_s),
        "disks": _disks(appliance, at_s),
        "interfaces": {name: _interface(appliance, name, at_s) for name in graphs.interfaces(appliance)},
    }


def _cpu_times(appliance: Appliance, at_s: int) -> dict[str, Any]:
    usages = [curve.at(at_s) for curve in graphs.cores(appliance)]
    average = sum(usages) / max(1, len(usages))
    cores = {str(number): _times(usage) for number, usage in enumerate(usages)}
    warmth = [round(curve.at(at_s), 1) for curve in graphs.core_temperatures(appliance)]
    return {
        **cores,
        "average": _times(average),
        "temperature_celsius": {str(number): warm for number, warm in enumerate(warmth)},
        "temperature": {},
    }


def _times(usage: float) -> dict[str, float]:
    parts = {name: round(usage * share, 2) for name, share in _SHARES.items()}
    idle = {"idle": round(100 - usage, 2), "iowait": round(usage * 0.02, 2), "guest": 0.0, "guest_nice": 0.0}
    return {**parts, **idle, "usage": round(usage, 2)}


def _flat(appliance: Appliance, at_s: int) -> dict[str, Any]:
    """The form since 25.04."""
    memory, arc = appliance.state.host.memory, round(graphs.arc_size(appliance).at(at_s))
    available = min(round(graphs.available_memory(appliance).at(at_s)), memory - arc)
    usages = [curve.at(at_s) for curve in graphs.cores(appliance)]
    warmth = [curve.at(at_s) for curve in graphs.core_temperatures(appliance)]
    count = max(1, len(usages))
    cpu = {"cpu": {"usage": round(sum(usages) / count, 2), "temp": round(sum(warmth) / count, 1)}}
    for number, (usage, warm) in enumerate(zip(usages, warmth, strict=True)):
        cpu[f"cpu{number}"] = {"usage": round(usage, 2), "temp": round(warm, 1)}
    return {
        "zfs": _arc_counters(graphs.curves_of(appliance), at_s),
        "memory": {
            "arc_size": arc,
            "arc_free_memory": available // 2,
            "arc_available_memory": available // 3,
            "physical_memory_total": memory,
            "physical_memory_available": available,
        },
        "cpu": cpu,
        "disks": _disks(appliance, at_s),
        "interfaces": {
            name: _interface(appliance, name, at_s, silent_totals=True) for name in graphs.interfaces(appliance)
        },
    }


def _arc_counters(make: Callable[..., Curve], at_s: int) -> dict[str, int]:
    counters = dict.fromkeys(_ARC_COUNTERS, 0)
    for kind, typical in (("data", 1400.0), ("metadata", 620.0)):
        accesses = round(make("arc", kind, typical=typical, wander=0.6, jitter=0.3).at(at_s))
        misses = accesses * 3 // 100
        counters |= {
            f"demand_{kind}_accesses_per_second": accesses,
            f"demand_{kind}_hits_per_second": accesses - misses,
            f"demand_{kind}_misses_per_second": misses,
            f"demand_{kind}_hit_percentage": 97,
            f"demand_{kind}_miss_percentage": 3,
        }
    data, metadata = "demand_data_accesses_per_second", "demand_metadata_accesses_per_second"
    return counters | {"demand_accesses_per_second": counters[data] + counters[metadata]}


def _disks(appliance: Appliance, at_s: int) -> dict[str, Any]:
    """Totals over every disk; clients that look for a map of disks find none (truenas-api 5.6)."""
    make = graphs.curves_of(appliance)
    read = written = 0.0
    for disk in appliance.state.disks.values():
        reads, writes = graphs.throughput(make, disk)
        read += reads.at(at_s) * _KIB
        written += writes.at(at_s) * _KIB
    return {
        "read_ops": round(read / _AVERAGE_TRANSFER, 2),
        "read_bytes": round(read, 2),
        "write_ops": round(written / _AVERAGE_TRANSFER, 2),
        "write_bytes": round(written, 2),
        "busy": round(min(100.0, (read + written) / 2e6), 2),
    }


def _interface(appliance: Appliance, name: str, at_s: int, *, silent_totals: bool = False) -> dict[str, Any]:
    if not graphs.link_is_up(appliance, name):
        totals = {"received_bytes": 0, "sent_bytes": 0} if silent_totals else {}
        rates: dict[str, Any] = {"received_bytes_rate": 0, "sent_bytes_rate": 0}
        return {"link_state": "LINK_STATE_DOWN", "speed": 0, **totals, **rates}
    received, sent = (curve.at(at_s) * _BYTES_PER_KILOBIT for curve in graphs.traffic(appliance, name))
    rates = {"received_bytes_rate": round(received, 2), "sent_bytes_rate": round(sent, 2)}
    return {"link_state": "LINK_STATE_UP", "speed": 1000, **rates}


def _pools(appliance: Appliance) -> dict[str, dict[str, int]]:
    shown = {}
    for name, pool in appliance.state.pools.items():
        root = appliance.state.datasets.get(name)
        used = pool.allocated if root is None else root.used
        available = pool.size - pool.allocated if root is None else root.available
        if pool.status != "OFFLINE":
            shown[name] = {"available": available, "used": used, "total": used + available}
    return shown


def _app(make: Callable[..., Curve], name: str, at_s: int) -> dict[str, Any]:
    def amount(what: str, typical: float) -> int:
        return round(make("app", name, what, typical=typical, wander=0.5, jitter=0.2).at(at_s))

    return {
        "app_name": name,
        "cpu_usage": amount("cpu", 4.0),
        "memory": amount("memory", 412e6),
        "networks": [{"interface_name": "eth0", "rx_bytes": amount("rx", 24e3), "tx_bytes": amount("tx", 9e3)}],
        "blkio": {"read": amount("read", 131e3), "write": amount("write", 65e3)},
    }
