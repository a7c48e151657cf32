"""What an operator does to a system during a run, through its API; the record of it holds no secret."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from pulse_sim.observation import Source
from pulse_sim.sut.protocol import Answer, Capability, OpenToStrangers, SystemFailure, SystemUnderTest
from pulse_sim.units import SECOND
from pulse_sim.world.protocol import Observe, World

CONNECTIONS: Final = "/api/truenas/connections"
HOST_REPORT: Final = "/api/agents/host/report"
BODY_LIMIT: Final = 65_536
"""How many characters of an answer are kept."""
LISTING_S: Final = 1
"""How long after a file was removed its directory is looked at."""
LIMIT_S: Final = 60
"""How long a system may take to start, and to stop; one that hangs would otherwise hang the run."""


class Operator:
    """Starts and stops one system, carries out a scenario's actions on it, and records how each was answered."""

    def __init__(self, name: str, system: SystemUnderTest, world: World, observe: Observe) -> None:
        self._name = name
        self._system = system
        self._world = world
        self._observe = observe
        self._options: dict[str, dict[str, Any]] = {}
        self._environment: dict[str, str] = {}
        self._variant = ""
        self._is_up = False

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        """Start the system. Raises SystemFailure, the crash recorded, when it does not come up, for whatever reason."""
        self._environment, self._variant = dict(environment), variant
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._system.start(environment, variant)
        except Exception as failure:
            self._note_crash("start", failure)
            raise SystemFailure(f"system {self._name} did not start") from failure
        self._is_up = True
        self._note_system("started")

    async def stop(self) -> None:
        """Stop the system; one that does not stop in order has crashed. Harmless when it is not running."""
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._system.stop()
        except Exception as failure:
            self._note_crash("stop", failure)
        if self._is_up:
            self._is_up = False
            self._note_system("stopped")

    async def act(self, do: str, options: Mapping[str, Any]) -> None:
        """Do one action of the table below; an unreachable system is recorded, not raised."""
        status: int | None = None
        error: str | None = None
        kept: dict[str, Any] = {}
        try:
            answer = await _ACTIONS[do](self, options)
        except (ConnectionError, TimeoutError, SystemFailure) as failure:
            error = type(failure).__name__
        else:
            status = answer.status
            error = None if status < 400 else _error_code(answer)
            if do in _KEPT:
                kept = _readable(answer)
        data = {"do": do, "with": dict(options), "status": status, "error": error, **kept}
        self._observe(Source.OPERATOR, "action", self._name, data)

    async def _add(self, options: Mapping[str, Any]) -> Answer:
        connection = options["id"]
        self._options[connection] = dict(options)
        return await self._system.request("POST", CONNECTIONS, {"id": connection, **self._record(connection)})

    async def _update(self, options: Mapping[str, Any]) -> Answer:
        connection = options["id"]
        given = {name: value for name, value in options.items() if value is not None}
        self._options[connection] = {**self._options[connection], **given}
        return await self._put(connection)

    async def _enable(self, options: Mapping[str, Any]) -> Answer:
        return await self._switch(options["id"], True)

    async def _disable(self, options: Mapping[str, Any]) -> Answer:
        return await self._switch(options["id"], False)

    async def _switch(self, connection: str, enabled: bool) -> Answer:
        self._options[connection] = {**self._options[connection], "enabled": enabled}
        return await self._put(connection)

    async def _put(self, connection: str) -> Answer:
        return await self._system.request("PUT", f"{CONNECTIONS}/{connection}", self._record(connection))

    def _record(self, connection: str) -> dict[str, Any]:
        """The whole record as it should be now: an operator's form sends every field."""
        options = self._options[connection]
        return {
            "name": connection,
            "enabled": options.get("enabled", True),
            "pollIntervalSeconds": options["poll_interval_ns"] // SECOND,
            **self._world.connection_record(options["appliance"], options["verify_tls"], options["credentials"]),
        }

    async def _remove(self, options: Mapping[str, Any]) -> Answer:
        return await self._system.request("DELETE", f"{CONNECTIONS}/{options['id']}")

    async def _test(self, options: Mapping[str, Any]) -> Answer:
        return await self._system.request("POST", f"{CONNECTIONS}/{options['id']}/test")

    async def _ask(self, options: Mapping[str, Any]) -> Answer:
        return await self._system.request("GET", options["path"])

    async def _send(self, options: Mapping[str, Any]) -> Answer:
        length = options["body_bytes"]
        body = {"filling": "x" * (length - len('{"filling": ""}'))} if length else None
        if options["with_token"]:
            return await self._system.request(options["method"], options["path"], body)
        if not isinstance(self._system, OpenToStrangers):
            raise SystemFailure(f"system {self._name} can be asked with its token only")
        return await self._system.request_without_token(options["method"], options["path"], body)

    async def _receive(self, options: Mapping[str, Any]) -> Answer:
        """Everything that was posted, one body a line."""
        bodies = await self._world.receive(options["port"], options["lasting_ns"])
        return Answer(200, b"\n".join(bodies))

    async def _remove_file(self, options: Mapping[str, Any]) -> Answer:
        """As ``ls; rm; ls`` in the data directory: what lay there before and what lies there after is on record."""
        if Capability.REMOVE_FILE not in self._system.capabilities:
            raise SystemFailure(f"files of system {self._name} cannot be removed")
        self._note_disk()
        await self._system.remove_file(options["name"])
        await asyncio.sleep(LISTING_S)
        self._note_disk()
        return Answer(200, b"")

    async def _report_host(self, options: Mapping[str, Any]) -> Answer:
        """What the last report was answered, or the first that was refused; one that found nobody is lost."""
        shared = options["appliance"]
        serials = [] if shared is None else self._world.serials(shared)
        disks = [{"name": f"disk{n}", "serial": serial, "status": "online"} for n, serial in enumerate(serials)]
        report = {"id": options["host"], "hostname": options["host"], "status": "online", "disks": disks}
        for _ in range(options["times"] - 1):
            with suppress(ConnectionError, TimeoutError):
                answer = await self._system.request("POST", HOST_REPORT, report)
                if answer.status >= 400:
                    return answer
            await asyncio.sleep(options["every_ns"] / SECOND)
        return await self._system.request("POST", HOST_REPORT, report)

    async def _restart(self, options: Mapping[str, Any]) -> Answer:
        await self.stop()
        await self.start({**self._environment, **options["environment"]}, options["variant"] or self._variant)
        return Answer(200, b"")

    async def _kill(self, options: Mapping[str, Any]) -> Answer:
        """A supervisor's view of a crash: it is gone, and comes back after a while on what its disk holds."""
        if Capability.KILL not in self._system.capabilities:
            raise SystemFailure(f"system {self._name} cannot be killed")
        power = options["power"]
        await self._system.kill()
        if power != "kept":
            self._world.power_off(self._name, torn=power == "torn")
        self._is_up = False
        self._note_system("stopped")
        await asyncio.sleep(options["down_for_ns"] / SECOND)
        if power != "kept":
            self._world.power_on(self._name)
        await self.start(self._environment, self._variant)
        return Answer(200, b"")

    def _note_disk(self) -> None:
        self._observe(Source.WORLD, "disk", self._name, self._world.disk(self._name))

    def _note_system(self, kind: str) -> None:
        self._observe(Source.SUT, kind, self._name, {"version": self._system.version, "variant": self._variant})

    def _note_crash(self, kind: str, failure: Exception) -> None:
        data = {"kind": kind, "exception": type(failure).__name__, "template": f"the system did not {kind}"}
        self._observe(Source.SUT, "crash", self._name, data)


_ACTIONS: Final[Mapping[str, Any]] = {
    "add_connection": Operator._add,
    "update_connection": Operator._update,
    "remove_connection": Operator._remove,
    "enable_connection": Operator._enable,
    "disable_connection": Operator._disable,
    "test_connection": Operator._test,
    "restart_system": Operator._restart,
    "kill_system": Operator._kill,
    "ask_system": Operator._ask,
    "remove_file": Operator._remove_file,
    "report_host": Operator._report_host,
    "send_request": Operator._send,
    "receive_alerts": Operator._receive,
}

_KEPT: Final = frozenset({"ask_system", "send_request", "receive_alerts"})
"""Actions whose answer is kept to be judged."""


def _readable(answer: Answer) -> dict[str, Any]:
    """The body of an answer as the record keeps it: its beginning, and whether that is all."""
    text = answer.body.decode("utf-8", "replace")
    return {"body": text[:BODY_LIMIT], "whole": len(text) <= BODY_LIMIT}


def _error_code(answer: Answer) -> str:
    try:
        code = str(json.loads(answer.body)["code"])
        code.encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unreadable"
    return code
