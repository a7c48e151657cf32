"""``system.info`` and its small relatives (truenas-api 3.1)."""

from typing import Any

from mock_truenas.api.resources.moment import Moment, date
from mock_truenas.appliance.nas import Appliance


def info(appliance: Appliance, moment: Moment) -> dict[str, Any]:
    """``GET /system/info``."""
    host = appliance.state.host
    return {
        "version": appliance.release.info_version,
        "buildtime": date(appliance.release.built_at_s * 1_000_000_000),
        "hostname": host.hostname,
        "physmem": host.memory,
        "model": host.model,
        "cores": host.cores,
        "physical_cores": host.physical_cores,
        "loadavg": [moment.load_1, moment.load_5, moment.load_15],
        "uptime": moment.uptime,
        "uptime_seconds": moment.uptime_seconds,
        "system_serial": host.serial,
        "system_product": host.product,
        "system_product_version": host.product_version,
        "license": None,
        "boottime": date(host.booted_at_ns),
        "datetime": {"$date": moment.datetime_ms},
        "timezone": host.timezone,
        "system_manufacturer": host.manufacturer,
        "ecc_memory": host.ecc_memory,
    }
