"""``boot.*``: the pool the appliance boots from (truenas-api 3.2)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Call, Method
from mock_truenas.api.resources import pool


def _state(call: Call) -> dict[str, Any]:
    return pool.boot_state(call.appliance, call.moment, call.dialect)


METHODS: Final = (Method("boot.get_state", "The boot pool", _state, moving="template"),)
