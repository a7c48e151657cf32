"""Any fault of the mock's catalogue, with any parameters, on any release, against the whole stack over every transport.

What must hold whatever an appliance does: a poll ends in a snapshot or in a MonitorError of a known type, nothing is
left running, no resource is lost, and the key is nowhere to be read. The nightly run calls :func:`sweep`.
"""

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS
from mock_truenas.faults.scope import RequestParameters
from tests.stack.stackbed import Bed

CALLS: Final = ("system.info", "pool.query", "pool.dataset.query", "disk.query", "alert.list")
SECRET: Final = "PSIMSECRET"
FACES: Final = (
    ("24.04", False, "auto"),
    ("24.10", False, "rest"),
    ("24.10", True, "auto"),
    ("25.04", True, "auto"),
    ("25.10", True, "rest"),
    ("25.10", True, "rpc"),
    ("26.0", True, "auto"),
    ("26.0", True, "rest"),  # nothing there any more
)
"""Release, whether over TLS, and the transport asked for."""
LONGEST_WAIT_S: Final = 330
"""The longest an open breaker waits, and one poll."""

_FIELDS: Final = {
    "system.info": (
        "version", "hostname", "model", "system_serial", "cores", "physmem", "loadavg", "uptime_seconds", "datetime",
    ),
    "pool.query": (
        "id", "name", "status", "healthy", "size", "allocated", "free", "scan", "scan.function", "scan.state",
        "scan.percentage", "scan.errors", "topology", "topology.data", "topology.data.status", "topology.data.disk",
        "topology.data.children", "topology.data.children.disk", "topology.data.children.unavail_disk",
        "topology.data.stats", "topology.data.stats.read_errors", "topology.data.stats.checksum_errors",
    ),
    "pool.dataset.query": (
        "id", "name", "pool", "type", "used", "used.parsed", "used.rawvalue", "available.parsed", "quota", "mountpoint",
        "readonly", "readonly.parsed", "readonly.rawvalue", "locked", "encrypted", "key_loaded", "children",
    ),
    "disk.query": ("name", "serial", "model", "size", "type", "bus", "temperature"),
    "alert.list": (
        "id", "uuid", "klass", "level", "text", "formatted", "args", "dismissed", "datetime", "datetime.$date",
    ),
}  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 0.5, 1e308, 2**64, 10**400, "", " ", "x", "\x00\u202e", "\ud83d\ude00", "9" * 5000, "NaN",
    "0x10", [], {}, [None], [[[]]], {"$date": "x"}, {"$date": 1e300}, {"parsed": {}}, {"rawvalue": []},
)  # fmt: skip
_BY_NAME: Final[dict[str, st.SearchStrategy[Any]]] = {
    "call": st.sampled_from(("*", "pool.*", "auth.*", *CALLS)),
    "field": st.sampled_from(sorted({each for fields in _FIELDS.values() for each in fields})),
    "to": st.sampled_from(("text", "int", "float", "bool", "list", "date")),
    "value": st.sampled_from(_VALUES),
    "by": st.sampled_from(("1s", "1h", "3650d")),
    "delay": st.sampled_from(("1s", "9s", "25s")),
    "status": st.sampled_from((400, 401, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504, 599)),
    "code": st.sampled_from((1000, 1001, 1006, 1008, 1009, 1011, 4000)),
    "errno": st.sampled_from((1, 2, 13, 16, 22, 110, 207)),
    "keep_bytes": st.integers(0, 300),
    "after_bytes": st.integers(0, 300),
    "bytes": st.sampled_from((1, 5 << 20)),
}
_OPTIONAL: Final = ("call", "code", "errno", "keep_bytes", "after_bytes", "bytes")
_ELSEWHERE: Final = {"payload.rename_field": {"to": _BY_NAME["field"]}, "pool.status": {}, "payload.non_finite": {}}
_EDITS: Final = tuple(sorted(name for name, kind in FAULT_KINDS.items() if "field" in kind.parameters.model_fields))
_FEWER_ROWS: Final = frozenset({"disk.missing", "payload.no_rows", "pool.exported", "appliance.booting", "job.lost"})
"""Kinds with which an appliance truly lists less; what it does not list any more is no resource any more."""
_NAMES: Final = frozenset({"name", "id", "pool", "children", "topology", "topology.data", "topology.data.children"})


@dataclass(frozen=True)
class Case:
    """A fault and the appliance it happens to."""

    kind: str
    parameters: tuple[tuple[str, Any], ...]
    release: str
    tls: bool
    transport: str

    @property
    def lists_fewer(self) -> bool:
        """Whether resources may be gone while it lasts."""
        return self.kind in _FEWER_ROWS or dict(self.parameters).get("field") in _NAMES


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any kind, with parameters its own model accepts."""
    kind = FAULT_KINDS[draw(st.sampled_from(_EDITS) | st.sampled_from(sorted(FAULT_KINDS)))]
    release, tls, transport = draw(st.sampled_from([face for face in FACES if face[1] or not kind.needs_tls]))
    given: dict[str, Any] = {}
    for name, field in kind.parameters.model_fields.items():
        strategy = _ELSEWHERE.get(kind.name, {}).get(name, _BY_NAME.get(name))
        if strategy is not None and (field.is_required() or (name in _OPTIONAL and kind.name not in _ELSEWHERE)):
            given[name] = draw(strategy)
    if kind.name in _EDITS:  # half of all: each at a field that is there
        given["call"] = draw(st.sampled_from(CALLS))
        given["field"] = draw(st.sampled_from(_FIELDS[given["call"]]))
    elif issubclass(kind.parameters, RequestParameters):
        given |= draw(st.fixed_dictionaries({}, optional={"first": st.integers(1, 4), "every": st.integers(1, 3)}))
    return Case(kind.name, tuple(given.items()), release, tls, transport)


@dataclass
class Outcome:
    """What a case came to: error types that rose, and everything that must not be."""

    errors: set[str] = dataclasses.field(default_factory=set)
    complaints: list[str] = dataclasses.field(default_factory=list)

    def check(self, holds: bool, complaint: str) -> None:
        if not holds:
            self.complaints.append(complaint)


def outcome(case: Case) -> Outcome:
    """Polls a sound appliance, then one with the fault, then a healed one."""
    found = Outcome()
    shown: list[str] = []

    async def look(bed: Bed) -> set[str]:
        for path in ("/metrics", "/api/truenas/connections", "/api/v2/resources?limit=100", "/api/health"):
            shown.append(str(await bed.api("GET", path)))
        return set(await bed.statuses())

    async def story(bed: Bed) -> None:
        await bed.start(environ={"PULSE_TRUENAS_TRANSPORT": case.transport})
        await bed.add(**({"insecureSkipVerify": True} if case.tls else {}))
        await bed.wait(70)
        before, first = await look(bed), await bed.metrics()
        bed.inject(case.kind, **dict(case.parameters))
        await bed.wait(100)
        during, middle = await look(bed), await bed.metrics()
        found.check(before <= during or case.lists_fewer, f"lost while it lasted: {sorted(before - during)}")
        found.check(middle["pulse_runtime_tasks"] <= first["pulse_runtime_tasks"] + 4, "tasks pile up")
        found.check(middle["pulse_runtime_open_connections"] <= 2, "connections pile up")
        bed.heal(case.kind)
        await bed.wait(LONGEST_WAIT_S)
        after = await look(bed)
        found.check(before <= after or case.lists_fewer, f"lost for good: {sorted(before - after)}")
        found.errors = set(await bed.errors())
        found.check("internal" not in found.errors, "a failure nobody had foreseen")
        polls = [await bed.metric("monitor_poll_total", result=result) for result in ("success", "error")]
        found.check(sum(polls) >= 5, f"polls stopped: {polls}")
        found.check((await bed.api("GET", "/api/health"))[0] == 200, "unhealthy")

    bed = Bed(tls=case.tls, release=case.release)
    bed.run(story)
    found.check(not bed.sim.unhandled, f"unhandled: {bed.sim.unhandled}")
    errors = [text for (level, *_), text in zip(bed.logs.lines, bed.logs.texts(), strict=True) if level == "ERROR"]
    found.check(not errors, f"logged: {errors}")
    told = "\n".join((*shown, *bed.logs.texts(), json.dumps(bed.logs.lines, default=str)))
    found.check(SECRET not in told, "the key can be read")
    return found


def sweep(count: int, number: int = 1) -> dict[str, Any]:
    """So many cases of the seed `number`. Raises AssertionError with the smallest case that breaks a rule."""
    kinds: Counter[str] = Counter()
    errors: Counter[str] = Counter()

    @hypothesis.seed(number)
    @hypothesis.settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @hypothesis.given(cases())
    def holds(case: Case) -> None:
        found = outcome(case)
        kinds[case.kind.partition(".")[0]] += 1
        errors.update(found.errors or {"none"})
        assert not found.complaints, (case, found.complaints)

    holds()
    return {"cases": sum(kinds.values()), "kinds": dict(sorted(kinds.items())), "errors": dict(sorted(errors.items()))}
