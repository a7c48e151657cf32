"""What an operator can do in a scenario, as data: one parameter model and one doc line for each action."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from pulse_sim.scenario.values import HostId, Id, PollInterval, StrictModel, VariableName, WindowLength
from pulse_sim.scenario.vocabulary import Variant
from pulse_sim.units import MINUTE, SECOND


class AddConnection(StrictModel):
    id: Id = Field(description="Name of the new connection in this file and its id in the system")
    appliance: HostId = Field(description="The appliance it points at")
    poll_interval: PollInterval = Field(MINUTE, description="Time between two polls, 1s to 1h")
    verify_tls: Literal["skip", "pin"] = Field("skip", description="Skip certificate checks, or pin the certificate")
    credentials: Literal["api_key", "basic"] = Field("api_key", description="How the system logs in")


class UpdateConnection(StrictModel):
    id: Id = Field(description="The connection to change")
    appliance: HostId | None = Field(None, description="Point it at another appliance")
    poll_interval: PollInterval | None = Field(None, description="A new time between two polls")
    verify_tls: Literal["skip", "pin"] | None = Field(None, description="Another way to treat certificates")
    credentials: Literal["api_key", "basic"] | None = Field(None, description="Another way to log in")


class OneConnection(StrictModel):
    id: Id = Field(description="The connection")


class RestartSystem(StrictModel):
    environment: dict[VariableName, str] = Field(
        default_factory=dict, description="Environment variables changed by the restart; the others stay"
    )
    variant: Variant | None = Field(None, description="Start this variant instead, as a rollback does")


class KillSystem(StrictModel):
    down_for: WindowLength = Field(5 * SECOND, description="Time until it is started again on the same data directory")
    power: Literal["kept", "lost", "torn"] = Field(
        "kept",
        description="kept: its programs are killed. lost: its machine loses power, and what was not synced is gone. "
        "torn: the same, with a part of that on the disk",
    )


class AskSystem(StrictModel):
    path: str = Field(
        pattern=r"^/[!-~]*$", max_length=512, description="Path and query of the page, such as /api/truenas/connections"
    )


class RemoveFile(StrictModel):
    name: str = Field(
        pattern=r"^[A-Za-z0-9._-]*[A-Za-z0-9_-]$", max_length=128, description="Name of the file, such as truenas.enc"
    )


class ReportHost(StrictModel):
    host: HostId = Field(description="The host whose agent it is; no host of the run")
    every: WindowLength = Field(30 * SECOND, description="Time between two reports")
    times: int = Field(1, ge=1, le=10_000, description="How many reports there are")
    appliance: HostId | None = Field(None, description="An appliance whose disks it sees as well, each of them online")


class SendRequest(StrictModel):
    path: str = Field(pattern=r"^/[!-~]*$", max_length=512, description="Path and query, such as /api/v2/resources")
    method: Literal["GET", "POST"] = Field("GET", description="The HTTP method")
    with_token: bool = Field(False, description="Whether it comes with the operator's token")
    body_bytes: int = Field(0, ge=0, le=1_048_576, description="Length of its body, a JSON object; 0 is none")


class ReceiveAlerts(StrictModel):
    port: int = Field(9000, ge=1024, le=65_535, description="Port of the receiver, which is http://operator:<port>/")
    lasting: WindowLength = Field(description="How long it listens; what it has got by then is kept")


@dataclass(frozen=True)
class Action:
    """One row of the table. ``effect`` is what becomes of the connection: add, keep or remove; None: it has none."""

    name: str
    doc: str
    parameters: type[StrictModel]
    effect: Literal["add", "keep", "remove"] | None


_ACTIONS: Final = (
    Action("add_connection", "Add a connection through the API.", AddConnection, "add"),
    Action("update_connection", "Change a connection through the API.", UpdateConnection, "keep"),
    Action("remove_connection", "Delete a connection through the API.", OneConnection, "remove"),
    Action("enable_connection", "Switch a disabled connection on again.", OneConnection, "keep"),
    Action("disable_connection", "Switch a connection off and keep it.", OneConnection, "keep"),
    Action("test_connection", "Ask the system to test a connection.", OneConnection, "keep"),
    Action("restart_system", "Stop the system and start it on the same data directory.", RestartSystem, None),
    Action("ask_system", "Read a page of the system's API; its answer is kept.", AskSystem, None),
    Action("remove_file", "Remove one file of the system's data directory.", RemoveFile, None),
    Action("report_host", "Report another host again and again, as an agent there does.", ReportHost, None),
    Action("send_request", "Send any request, as somebody without a token does.", SendRequest, None),
    Action("receive_alerts", "Receive what a system posts to a webhook.", ReceiveAlerts, None),
    Action("kill_system", "End the system at once, without clean-up, and start it again.", KillSystem, None),
)

ACTIONS: Final[Mapping[str, Action]] = {action.name: action for action in _ACTIONS}

WITHOUT_CONNECTION: Final = frozenset(
    name for name, action in ACTIONS.items() if action.effect is None or action.effect == "add"
)
"""Actions whose system does not follow from a connection that is there already."""
