"""aiotruenas-client, name by name: ``CachingMachine.x`` of a machine, ``CachingPool.x`` of every pool it has."""

import asyncio
import inspect
from enum import Enum
from typing import Any

import asking
from aiotruenas_client import CachingMachine
from aiotruenas_client.websockets.dataset import CachingDataset, DatasetProperty
from aiotruenas_client.websockets.disk import CachingDisk
from aiotruenas_client.websockets.jail import CachingJail
from aiotruenas_client.websockets.job import CachingJob
from aiotruenas_client.websockets.pool import CachingPool
from aiotruenas_client.websockets.virtualmachine import CachingVirtualMachine

LISTED = {
    "CachingDataset": (CachingDataset, "get_datasets"),
    "CachingDisk": (CachingDisk, "get_disks"),
    "CachingJail": (CachingJail, "get_jails"),
    "CachingPool": (CachingPool, "get_pools"),
    "CachingVirtualMachine": (CachingVirtualMachine, "get_vms"),
}
CLASSES = {"CachingMachine": CachingMachine, "CachingJob": CachingJob} | {
    name: cls for name, (cls, _) in LISTED.items()
}


class Program:
    """Holds the machine between calls."""

    def __init__(self) -> None:
        self.machine: Any = None
        self.job: Any = None

    async def do(self, call: str, arguments: dict[str, Any]) -> Any:
        owner, _, name = call.partition(".")
        if call == "public":
            return [f"{key}.{one}" for key, cls in CLASSES.items() for one in dir(cls) if not one.startswith("_")]
        if name == "create":
            self.machine = await CachingMachine.create(**arguments)
            return self.machine.closed
        if name == "connect":
            machine = CachingMachine()
            await machine.connect(**{"api_key": None, "password": None, "username": None, **arguments})
            closed = machine.closed
            await machine.close()
            return closed
        if owner == "CachingMachine":
            return shown(await self.attribute(self.machine, name, arguments))
        if owner == "CachingJob":
            if self.job is None:
                number = await self.machine.invoke_method(*arguments.pop("start"))
                self.job = await self.machine.wait_for_job(number)
            return shown(getattr(self.job, name))
        more = {"include_temperature": True} if name == "temperature" else {}
        rows = await getattr(self.machine, LISTED[owner][1])(**more)
        chosen = [row for row in rows if row.name == arguments["on"]] if "on" in arguments else rows
        given = {key: value for key, value in arguments.items() if key != "on"}
        return [shown(await self.attribute(row, name, given)) for row in chosen]

    async def attribute(self, owner: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == "subscribe":
            queue = await owner.subscribe(self, arguments["name"])
            return type(queue).__name__
        if name == "unsubscribe":
            return await owner.unsubscribe(self, arguments["name"])
        value = getattr(owner, name)
        if inspect.ismethod(value):
            value = value(**arguments)
        return await value if inspect.isawaitable(value) else value


def shown(value: Any) -> Any:
    """Objects of the client by what they say of themselves."""
    if isinstance(value, list):
        return [shown(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, DatasetProperty):
        return {"value": value.value, "parsed": value.parsedValue, "source": value.source.value}
    for cls, key in ((CachingDataset, "id"), (CachingDisk, "serial"), (CachingPool, "name"), (CachingJob, "method")):
        if isinstance(value, cls):
            return getattr(value, key)
    return value.name if isinstance(value, CachingVirtualMachine | CachingJail) else value


asyncio.run(asking.serve_async(Program().do))
