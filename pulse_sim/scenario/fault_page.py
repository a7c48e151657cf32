"""The page of fault kinds, written from the two tables: ``python -m pulse_sim.scenario.fault_page`` prints it."""

import json
import sys
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from mock_truenas.faults import CATALOGUE, Entry, FaultKind
from mock_truenas.faults.scope import RequestParameters
from pulse_sim.scenario.kinds import ALL_FAULT_KINDS, fault_parameters
from pulse_sim.units import format_duration

SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "clock.step": {"by": "1h"},
    "dns.slow": {"delay": "2s"},
    "http.delay": {"delay": "15s"},
    "http.status": {"status": 502},
    "net.bandwidth": {"rate": 10},
    "net.latency": {"latency": 2000},
    "net.limit_data": {"bytes": 100},
    "net.slicer": {"average_size": 100, "delay": 5000},
    "net.slow_close": {"delay": 5000},
    "payload.change_type": {"call": "pool.query", "field": "fragmentation", "to": "int"},
    "payload.drop_field": {"call": "pool.query", "field": "scan"},
    "payload.duplicate_rows": {"call": "alert.list"},
    "payload.no_rows": {"call": "pool.query"},
    "payload.non_finite": {"call": "reporting.get_data", "field": "aggregations.min.*"},
    "payload.null_field": {"call": "pool.query", "field": "scan"},
    "payload.rename_field": {"call": "sharing.smb.query", "field": "comment", "to": "options.comment"},
    "payload.set_field": {"call": "disk.query", "field": "status", "value": "ONLINE"},
    "payload.shift_date": {"call": "system.info", "field": "datetime", "by": "1h"},
    "rpc.late": {"delay": "15s"},
}
"""Parameters of the kinds that need some, so that the page can show a witness."""

INTRODUCTION = """\
# Fault kinds

Generated from the tables in `mock_truenas.faults` and `pulse_sim.world.faults` by
`python -m pulse_sim.scenario.fault_page > docs/faults.md`; a test compares.

A timeline entry sets a fault over the half-open window [at, at + for) on one appliance, or on a system where the kind
says so; parameters stand under `with`:

```yaml
- {at: 5m, for: 4m, fault: http.delay, on: nas-1, with: {delay: 45s}}
```

Where windows overlap, faults act in the order of their stages: refuse, drop, delay, status, body, pace. Every fault
heals at the end of its window, whatever happened to the run. A fault *took effect* when its witness was seen inside the
window from the other side: in the appliance's journal of what it really answered, or in the client's metrics of errors
and of how long polls last. One that was never seen leaves the run inconclusive (exit status 3).

The `net` kinds named after a toxic have the attributes, units and defaults of
[Toxiproxy](https://github.com/Shopify/toxiproxy), and its `stream` (`downstream` is from the appliance, `upstream` to
it) and `toxicity` (the share of connections struck, drawn for each connection from the seed). `net` and `dns` kinds lie
between the appliance and everybody who polls it. The `dns` kinds answer as a resolver with one name server does; a
client that still has a connection, or remembers the answer, does not ask. The `tls` kinds concern handshakes that begin
inside the window.

## Adding one

1. Add a row to the table of the room that can do it: `mock_truenas/faults/kinds/` for what an appliance does,
   `pulse_sim/world/faults.py` for what happens on the way to it. A row is a parameter model, one line of
   documentation, a stage, a witness and an effect; the mechanism reads the effect and never asks for the kind.
2. Write its test beside the others: the exact wire outcome, the proof in the journal, a clean next request after heal.
3. Regenerate this page and the JSON Schemas (`python -m pulse_sim.scenario.schema docs/schema`).
"""


REQUESTS_INTRODUCTION = """\
A kind that acts on requests, handshakes, calls or events takes these parameters; what they do not name, they do not
limit. `call` is a glob on the API method, on REST as on a WebSocket; for events it is one on their collection. `skip`,
`first`, `every` and `probability` count only what the others let through, and the draws come from the seed.
"""

CATALOGUE_INTRODUCTION = """\
## What goes wrong with real appliances

The entries of the fact sheet's catalogue, and what makes each of them happen: kinds with their parameters, or nothing
at all where an appliance of the right release does it by itself. `mock-truenas faults --by-symptom` prints it too.

| entry | symptom | by itself | kinds |
|---|---|---|---|"""


def _entry(entry: Entry) -> str:
    kinds = "; ".join(
        f"`{recipe.kind}`" + (f" `{json.dumps(recipe.parameters)}`" if recipe.parameters else "")
        for recipe in entry.recipes
    )
    return f"| {entry.number} | {entry.symptom} | {entry.standing} | {_cell(kinds)} |"


def _cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|")


COMMON: Final = {name: repr(field) for name, field in RequestParameters.model_fields.items()}
_ONLY_COMMON: Final = "It takes the parameters of every kind that acts on requests."


def fault_page() -> str:
    """The whole page as Markdown."""
    lines = [INTRODUCTION, CATALOGUE_INTRODUCTION]
    lines.extend(_entry(entry) for entry in CATALOGUE)
    lines.extend(["", "## Which requests, calls and events", "", REQUESTS_INTRODUCTION])
    lines.extend(_table(RequestParameters, COMMON))
    for kind in sorted(ALL_FAULT_KINDS.values(), key=lambda kind: kind.name):
        lines.extend(_section(kind))
    return "\n".join(lines) + "\n"


def _section(kind: FaultKind) -> Iterator[str]:
    yield f"## `{kind.name}`"
    yield ""
    yield kind.doc
    yield ""
    on = " Set on a system." if kind.target == "system" else ""
    needs = " The appliance needs `tls: true`." if kind.needs_tls else ""
    stays = " What it did to the appliance stays." if kind.lasting else ""
    yield f"Stage: {kind.stage.name.lower()}. Worlds: {', '.join(sorted(kind.worlds))}.{on}{needs}{stays}"
    yield f"It took effect when {_signs(kind)}."
    yield ""
    model = kind.parameters
    shared = issubclass(model, RequestParameters)
    own = {name for name, field in model.model_fields.items() if not shared or COMMON.get(name) != repr(field)}
    if own:
        yield from _table(model, own)
    if shared:
        yield "It also takes the parameters of every kind that acts on requests." if own else _ONLY_COMMON
        yield ""
    elif not own:
        yield "No parameters."
        yield ""


def _table(model: type[BaseModel], names: Container[str]) -> Iterator[str]:
    """Some parameters of a model."""
    shown = model.model_json_schema()
    yield "| parameter | default | meaning |"
    yield "|---|---|---|"
    for name, schema in shown.get("properties", {}).items():
        if name in names:
            default = "required" if name in shown.get("required", []) else f"`{_default(schema)}`"
            yield f"| `{name}` | {_cell(default)} | {_cell(schema.get('description', ''))} |"
    yield ""


def _signs(kind: FaultKind) -> str:
    """The witness of a kind in words, for the sample parameters."""
    sample = SAMPLES.get(kind.name, {})
    witness = kind.witness(fault_parameters(kind.name, sample))
    signs = [f"the journal has {_pattern(pattern)}" for pattern in witness.journal]
    if witness.poll_errors:
        signs.append(f"poll errors of type {' or '.join(witness.poll_errors)} rise")
    if witness.poll_slower_than_ns is not None:
        signs.append(f"a poll lasts at least {format_duration(witness.poll_slower_than_ns)}")
    if witness.poll_slower_than_usual_ns is not None:
        longer = format_duration(witness.poll_slower_than_usual_ns)
        signs.append(f"a poll lasts at least {longer} longer than polls before the window mostly did")
    if witness.clock_off_ns:
        signs.append("the system's stamps of its last good poll are off by half of it or more, the same way")
    given = ", ".join(f"{name}: {value}" for name, value in sample.items())
    return " or ".join(signs) + (f" (for {given})" if given else "")


def _pattern(pattern: Mapping[str, Any]) -> str:
    """One pattern of the journal in words."""
    words = ["an answer this fault shaped" if pattern.get("fault") else "an answer"]
    if "status" in pattern:
        words.append(f"with status {' or '.join(map(str, pattern['status']))}")
    if "ended" in pattern:
        words.append(f"that ended {' or '.join(pattern['ended'])}")
    if "duration_at_least_ns" in pattern:
        words.append(f"after at least {format_duration(pattern['duration_at_least_ns'])}")
    return " ".join(words)


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    return "none" if value is None else str(value)


if __name__ == "__main__":
    sys.stdout.write(fault_page())
