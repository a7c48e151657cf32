"""The endpoints of the control API as a table, and what each does with a NAS. Knows no HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from mock_truenas.appliance.model import Alert
from mock_truenas.complaints import BadInput, Unknown
from mock_truenas.control import bodies, changes
from mock_truenas.faults import CATALOGUE, FAULT_KINDS, FaultKind
from mock_truenas.faults.active import ActiveFault
from mock_truenas.fleet import Fleet, Unit
from mock_truenas.matching import Matching

_EVIDENCE: Final = 100


@dataclass(frozen=True)
class Asked:
    """What came in, checked; ``given`` is the body, or the query string of an endpoint that takes one."""

    fleet: Fleet
    path: Mapping[str, str]
    given: Any = None

    @property
    def unit(self) -> Unit:
        """The NAS that is meant. Raises Unknown."""
        return self.fleet.find(self.path["appliance"])


Run = Callable[[Asked], Any | Awaitable[Any]]


@dataclass(frozen=True)
class Endpoint:
    """One row. ``takes`` is the model of the body, ``query`` that of the query string."""

    verb: str
    path: str
    doc: str
    run: Run
    takes: type[BaseModel] | None = None
    query: type[BaseModel] | None = None


# -- what is there -------------------------------------------------------------------------------------------------


def _appliances(asked: Asked) -> Any:
    return [_told(unit) for unit in asked.fleet.values()]


def _told(unit: Unit) -> dict[str, Any]:
    return {
        "name": unit.name,
        "release": unit.appliance.release.name,
        "url": unit.url,
        "hostname": unit.appliance.state.host.hostname,
        "state": unit.appliance.state.host.state,
        "faults": [fault.fault_id for fault in unit.faults()],
        "journal_entries": unit.journal.count,
        "clock": _clock_told(unit),
    }


def _kinds(_: Asked) -> Any:
    return [kind_told(kind) for kind in FAULT_KINDS.values()]


def kind_told(kind: FaultKind) -> dict[str, Any]:
    """A fault kind as plain JSON."""
    return {
        "name": kind.name,
        "doc": kind.doc,
        "stage": kind.stage.name.lower(),
        "worlds": sorted(kind.worlds),
        "needs_tls": kind.needs_tls,
        "entries": entries_of(kind),
        "parameters": kind.parameters.model_json_schema(),
    }


def entries_of(kind: FaultKind) -> list[str]:
    """The numbers of the catalogue's entries that a kind serves, such as F14."""
    return [entry.number for entry in CATALOGUE if any(recipe.kind == kind.name for recipe in entry.recipes)]


# -- state ---------------------------------------------------------------------------------------------------------


def _state(asked: Asked) -> Any:
    appliance = asked.unit.appliance
    appliance.evolve()
    tables = {name: {str(key): dict(row) for key, row in rows.items()} for name, rows in appliance.state.tables.items()}
    return {**appliance.truth(), "host": changes.shown(appliance.state.host), "tables": tables}


def _raise_alert(asked: Asked) -> Any:
    appliance, order = asked.unit.appliance, asked.given
    uuid = appliance.new_uuid("control", order.klass, order.text, appliance.now_ns(), len(appliance.base.alerts))
    alert = Alert(
        uuid=uuid,
        klass=order.klass,
        level=order.level,
        text=order.text,
        raised_at_ns=appliance.now_ns(),
        args=order.args,
        source=order.source,
        one_shot=order.one_shot,
    )
    appliance.raise_alert(alert)
    return changes.shown(alert)


def _change_alert(asked: Asked) -> Any:
    appliance, uuid = asked.unit.appliance, asked.path["alert"]
    known = changes.found(appliance.base.alerts, "alert", uuid)
    appliance.raise_alert(changes.replaced(known, asked.given))
    return changes.shown(appliance.base.alerts[uuid])


def _clear_alert(asked: Asked) -> Any:
    appliance, uuid = asked.unit.appliance, asked.path["alert"]
    changes.found(appliance.base.alerts, "alert", uuid)
    appliance.clear_alert(uuid)
    return None


def _add_row(asked: Asked) -> Any:
    appliance, table = asked.unit.appliance, asked.path["table"]
    changes.found(appliance.base.tables, "table", table)
    return changes.insert_row(appliance, table, asked.given.model_extra)


def _change_row(asked: Asked) -> Any:
    return changes.change_row(asked.unit.appliance, asked.path["table"], asked.path["key"], asked.given.model_extra)


def _delete_row(asked: Asked) -> Any:
    appliance, table = asked.unit.appliance, asked.path["table"]
    appliance.delete_row(table, changes.row_key(appliance, table, asked.path["key"]))
    return None


def _scrub(asked: Asked) -> Any:
    appliance, order = asked.unit.appliance, asked.given
    changes.found(appliance.base.pools, "pool", order.pool)
    appliance.start_scrub(order.pool, order.takes)
    return changes.shown(appliance.base.pools[order.pool])


def _reboot(asked: Asked) -> Any:
    asked.unit.appliance.reboot(takes_ns=asked.given.takes, down_ns=asked.given.down)
    return _told(asked.unit)


def _shutdown(asked: Asked) -> Any:
    asked.unit.appliance.shutdown()
    return _told(asked.unit)


def _finish_boot(asked: Asked) -> Any:
    asked.unit.appliance.finish_boot()
    return _told(asked.unit)


async def _reset(asked: Asked) -> Any:
    await asked.unit.reset()
    return _told(asked.unit)


# -- faults --------------------------------------------------------------------------------------------------------


def _add_fault(asked: Asked) -> Any:
    order = asked.given
    return _fault_told(asked.unit.inject(order.kind, order.parameters, order.id, order.lasts))


def _fault_told(fault: ActiveFault) -> dict[str, Any]:
    return {
        "id": fault.fault_id,
        "kind": fault.kind,
        "parameters": fault.parameters.model_dump(mode="json"),
        "met": fault.met,
    }


def _faults(asked: Asked) -> Any:
    return [_fault_told(fault) for fault in asked.unit.faults()]


async def _clear_fault(asked: Asked) -> Any:
    unit, fault_id = asked.unit, asked.path["fault"]
    active = [fault.fault_id for fault in unit.faults()]
    if fault_id not in active:
        raise Unknown("fault", fault_id, active)
    unit.heal(fault_id)
    await unit.nas.settled()
    return None


async def _clear_faults(asked: Asked) -> Any:
    cleared = [fault.fault_id for fault in asked.unit.faults()]
    asked.unit.heal_all()
    await asked.unit.nas.settled()
    return {"cleared": cleared}


# -- journal -------------------------------------------------------------------------------------------------------


def _journal(asked: Asked) -> Any:
    journal, query = asked.unit.journal, asked.given
    matching = Matching(**query.matching())
    first = max(query.since, journal.dropped)
    # What was asked for by no kind is everything here, events and closes too.
    any_kind = query.kind is None
    found: list[dict[str, Any]] = []
    number = first
    for entry in journal.since(first):
        if len(found) == query.limit:
            break
        if matching.covers(entry, of_any_kind=any_kind):
            found.append({"number": number, **entry.to_data()})
        number += 1
    return {"entries": found, "next": number, "count": journal.count, "dropped": journal.dropped}


def _clear_journal(asked: Asked) -> Any:
    asked.unit.journal.clear()
    return None


def _verify(asked: Asked) -> Any:
    question = asked.given.ask
    verification = asked.unit.verify()
    criteria = question.criteria.matching() if isinstance(question, bodies.Asking) else {}
    match question:
        case bodies.Called():
            numbers = {"exactly": question.exactly, "at_least": question.at_least, "at_most": question.at_most}
            found = verification.called(**numbers, **criteria)
        case bodies.NeverCalled():
            found = verification.never_called(**criteria)
        case bodies.AtMostPerMinute():
            found = verification.at_most_per_minute(question.limit, **criteria)
        case bodies.LoggedInExactly():
            found = verification.logged_in_exactly(question.times, **criteria)
        case bodies.CalledInOrder():
            found = verification.called_in_order(*question.calls, **criteria)
        case _:
            found = verification.no_more_than_open_connections(question.limit)
    return found.to_data(at_most=_EVIDENCE)


# -- clock ---------------------------------------------------------------------------------------------------------


def _clock_told(unit: Unit) -> dict[str, Any]:
    return {"now": bodies.instant(unit.clock.now_ns()), "now_ns": unit.clock.now_ns(), "state": unit.clock.state}


def _read_clock(asked: Asked) -> Any:
    return _clock_told(asked.unit)


def _set_clock(asked: Asked) -> Any:
    unit, order = asked.unit, asked.given
    at_ns = unit.clock.now_ns() if order.at is None else bodies.instant_ns(order.at)
    at_ns += (order.advance or 0) - (order.back or 0)
    try:
        unit.clock.set(at_ns)
    except ValueError as error:
        raise BadInput("clock", order.at or order.advance or order.back, str(error)) from error
    if order.state is not None:
        (unit.clock.freeze if order.state == "frozen" else unit.clock.run)()
    unit.appliance.evolve()
    return _clock_told(unit)


_NAS: Final = "/v1/appliances/{appliance}"
ENDPOINTS: Final = (
    Endpoint("GET", "/v1/appliances", "The NAS there are", _appliances),
    Endpoint("GET", _NAS, "One NAS in short", lambda asked: _told(asked.unit)),
    Endpoint("GET", "/v1/kinds", "The fault kinds with their parameters as JSON Schema", _kinds),
    Endpoint("GET", f"{_NAS}/state", "What a client should find: the truth about the NAS", _state),
    Endpoint(
        "PATCH",
        f"{_NAS}/state/host",
        "Change the machine",
        lambda asked: changes.change_host(asked.unit.appliance, asked.given),
        changes.HOST,
    ),
    Endpoint(
        "PATCH",
        f"{_NAS}/state/pools/{{pool}}",
        "Change a pool",
        lambda asked: changes.change_pool(asked.unit.appliance, asked.path["pool"], asked.given),
        changes.POOL,
    ),
    Endpoint(
        "PATCH",
        f"{_NAS}/state/datasets/{{dataset}}",
        "Change a dataset; write the slashes of its name as %2F",
        lambda asked: changes.change_dataset(asked.unit.appliance, asked.path["dataset"], asked.given),
        changes.DATASET,
    ),
    Endpoint(
        "PATCH",
        f"{_NAS}/state/disks/{{disk}}",
        "Change a disk",
        lambda asked: changes.change_disk(asked.unit.appliance, asked.path["disk"], asked.given),
        changes.DISK,
    ),
    Endpoint("POST", f"{_NAS}/state/alerts", "Raise an alert", _raise_alert, bodies.NewAlert),
    Endpoint("PATCH", f"{_NAS}/state/alerts/{{alert}}", "Change an alert", _change_alert, changes.ALERT),
    Endpoint("DELETE", f"{_NAS}/state/alerts/{{alert}}", "Clear an alert", _clear_alert),
    Endpoint("POST", f"{_NAS}/state/tables/{{table}}", "Add a row, such as a service or an app", _add_row, bodies.Row),
    Endpoint("PATCH", f"{_NAS}/state/tables/{{table}}/{{key}}", "Change a row", _change_row, bodies.Row),
    Endpoint("DELETE", f"{_NAS}/state/tables/{{table}}/{{key}}", "Remove a row", _delete_row),
    Endpoint("POST", f"{_NAS}/scrub", "Start a scrub", _scrub, bodies.Scrub),
    Endpoint("POST", f"{_NAS}/reboot", "Reboot", _reboot, bodies.Reboot),
    Endpoint("POST", f"{_NAS}/shutdown", "Shut down; a reboot brings it back", _shutdown),
    Endpoint("POST", f"{_NAS}/finish-boot", "Be ready at once", _finish_boot),
    Endpoint("POST", f"{_NAS}/reset", "State, faults, clock and journal as at the start; the same keys", _reset),
    Endpoint("GET", f"{_NAS}/faults", "The active faults, with how often each was met", _faults),
    Endpoint("POST", f"{_NAS}/faults", "Start a fault", _add_fault, bodies.FaultOrder),
    Endpoint("DELETE", f"{_NAS}/faults", "Clear every fault", _clear_faults),
    Endpoint("DELETE", f"{_NAS}/faults/{{fault}}", "Clear a fault", _clear_fault),
    Endpoint("GET", f"{_NAS}/journal", "What it was asked and answered", _journal, query=bodies.JournalQuery),
    Endpoint("DELETE", f"{_NAS}/journal", "Forget it", _clear_journal),
    Endpoint("POST", f"{_NAS}/verify", "Ask a question over the journal", _verify, bodies.Question),
    Endpoint("GET", f"{_NAS}/clock", "What its clock shows", _read_clock),
    Endpoint("PATCH", f"{_NAS}/clock", "Set, move, stop or start its clock", _set_clock, bodies.ClockOrder),
)
