"""``system.*``: the machine, its version, its clock and its boot (truenas-api 3.1)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Access, Call, Method
from mock_truenas.api.resources import system


def _info(call: Call) -> dict[str, Any]:
    return system.info(call.appliance, call.moment)


METHODS: Final = (
    Method("system.info", "The machine and its clock", _info, access=Access.LOGIN, moving="template"),
    Method(
        "system.version",
        "Full version",
        lambda call: call.appliance.release.version,
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.version_short",
        "Short version",
        lambda call: call.appliance.release.version_short,
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.product_type",
        "Edition",
        lambda call: call.appliance.release.product_type,
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.state",
        "BOOTING, READY or SHUTTING_DOWN",
        lambda call: call.appliance.state.host.state,
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.ready",
        "Whether it is READY",
        lambda call: call.appliance.state.host.state == "READY",
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.host_id",
        "SHA-256 naming the host",
        lambda call: call.appliance.state.host.host_id,
        access=Access.LOGIN,
        moving="never",
    ),
    Method(
        "system.boot_id",
        "Changes with every boot",
        lambda call: call.appliance.state.host.boot_id,
        access=Access.OPEN,
        moving="never",
    ),
)
