"""``boot.*``: the pool the appliance boots from (truenas-api 3.2)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Param
from mock_truenas.api.methods.tables import job, keep_config
from mock_truenas.api.resources import pool
from mock_truenas.appliance.model import Scan
from mock_truenas.appliance.nas import Appliance

_SCRUB_NS: Final = 40_000_000_000


def _state(call: Call) -> dict[str, Any]:
    return pool.boot_state(call.appliance, call.moment, call.dialect)


def _disks(call: Call) -> list[str]:
    vdevs = call.appliance.state.boot_pool.topology.data
    return [leaf.disk for vdev in vdevs for leaf in vdev.leaves() if leaf.disk is not None]


def _scrub(call: Call) -> JobPlan:
    appliance = call.appliance
    boot = appliance.base.boot_pool
    scan = Scan("SCRUB", appliance.now_ns(), _SCRUB_NS, boot.allocated)
    appliance.change(boot_pool=pool.with_scan(boot, scan))
    return job(_SCRUB_NS / 1e9, lambda _: None, "Scrubbing")


def _interval(appliance: Appliance) -> int:
    kept = appliance.state.tables.get("config", {}).get("system.advanced", {})
    return int(kept.get("boot_scrub", 7))


def _set_interval(call: Call) -> int:
    keep_config(call.appliance, "system.advanced", {"boot_scrub": call.arguments["interval"]})
    return _interval(call.appliance)


METHODS: Final = (
    Method("boot.get_state", "The boot pool", _state, moving="template"),
    Method("boot.get_disks", "Names of the disks it boots from", _disks, moving="never"),
    Method("boot.scrub", "Scrub the boot pool", _scrub, access=Access.WRITE, job=True),
    Method(
        "boot.get_scrub_interval",
        "Days between scrubs of the boot pool",
        lambda call: _interval(call.appliance),
        moving="never",
    ),
    Method(
        "boot.set_scrub_interval",
        "Set the days between scrubs of the boot pool",
        _set_interval,
        (Param("interval", int),),
        access=Access.WRITE,
    ),
)
