"""Whether the parts of a plan fit together: ids, dependencies, gates that judge something, waivers that may be given.

Looks at plain data, whatever its shape, so that one mistake hides no other; wrong shapes are the model's to report.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulse_sim.scenario.outline import sequence
from pulse_sim.scenario.problem import Finding, Path, nearest, one_of, shown

_CONDITION_KEYS: Final = ("owner", "risk", "severity", "target", "rollback")
_LEDGER_KEYS: Final = ("severity", "owner", "milestone")


def plan_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that does not fit, in no particular order."""
    packets = _items(data, ("packets",))
    evidence = [item for path, packet in packets for item in _items(packet, (*path, "evidence"))]
    gates = [item for path, packet in packets for item in _items(packet, (*path, "gates"))]
    for what, items in (("packet", packets), ("evidence", evidence), ("gate", gates)):
        yield from _duplicates(what, items)
    for group in ("failure_classes", "drift", "debt", "phases", "residual_risks"):
        yield from _duplicates(group.replace("_", " "), _items(data, (group,)))
    yield from _dependencies(data, packets)
    for path, packet in packets:
        yield from _packet(path, packet)
    for path, gate in gates:
        yield from _gate(path, gate)
    yield from _evidence_uses(data, gates, evidence)
    yield from _waivers(data, gates)
    yield from _drift(data)
    for path, phase in _items(data, ("phases",)):
        yield from _phase(path, phase, packets, gates)
    for path, risk in _items(data, ("residual_risks",)):
        if isinstance(risk.get("packet"), str):
            yield from _unknown((*path, "packet"), "packet", risk["packet"], set(_ids(packets)))


def _drift(data: Mapping[str, Any]) -> Iterator[Finding]:
    for path, row in _items(data, ("drift",)):
        if row.get("class") != "MATCHED" and not row.get("reason"):
            yield Finding((*path, "reason"), "missing key 'reason'; only MATCHED needs none", on_key=True)
        for key in _LEDGER_KEYS:
            if row.get("class") == "DEFERRED" and row.get(key) is None:
                message = f"missing key {key!r}; what is DEFERRED goes to the debt ledger and needs it"
                yield Finding((*path, key), message, on_key=True)
            elif row.get("class") != "DEFERRED" and row.get(key) is not None:
                yield Finding((*path, key), f"{key} is for what is DEFERRED", on_key=True)


def _phase(
    path: Path,
    phase: dict[str, Any],
    packets: list[tuple[Path, dict[str, Any]]],
    gates: list[tuple[Path, dict[str, Any]]],
) -> Iterator[Finding]:
    """What a phase names is there, and what it needs of people is also a gate: else its absence closed nothing."""
    name = phase.get("packet")
    found = next(((place, packet) for place, packet in packets if packet.get("id") == name), None)
    if found is None:
        if isinstance(name, str):
            yield from _unknown((*path, "packet"), "packet", name, set(_ids(packets)))
        return
    place, packet = found
    evidence, own = set(_ids(_items(packet, (*place, "evidence")))), set(_ids(_items(packet, (*place, "gates"))))
    for key, known, what in (
        ("evidence", evidence, "evidence"),
        ("checkpoints", own, "gate"),
        ("exit", own, "gate"),
        ("rollback", own, "gate"),
    ):
        for position, item in enumerate(sequence(phase.get(key))):
            if isinstance(item, str):
                yield from _unknown((*path, key, position), f"{what} of packet {name}", item, known)
    inputs = {gate["attest"] for _, gate in gates if isinstance(gate.get("attest"), str)}
    for key in ("issues", "sign_off"):
        if isinstance(phase.get(key), str) and phase[key] not in inputs:
            message = f"no gate asks for the human input {shown(phase[key])}{one_of(inputs)}"
            yield Finding((*path, key), message, nearest(phase[key], inputs))


def _unknown(path: Path, what: str, name: str, known: set[str]) -> Iterator[Finding]:
    if name not in known:
        yield Finding(path, f"unknown {what} {shown(name)}{one_of(known)}", nearest(name, known))


def _items(data: Mapping[str, Any], path: Path) -> list[tuple[Path, dict[str, Any]]]:
    listed = sequence(data.get(str(path[-1])))
    return [((*path, position), item) for position, item in enumerate(listed) if isinstance(item, dict)]


def _ids(items: list[tuple[Path, dict[str, Any]]]) -> list[str]:
    return [item["id"] for _, item in items if isinstance(item.get("id"), str)]


def _duplicates(what: str, items: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, item in items:
        name = item.get("id")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Finding((*path, "id"), f"duplicate {what} id {shown(name)}")
        seen.add(name)


def _dependencies(data: Mapping[str, Any], packets: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    known = set(_ids(packets))
    left_out = set()
    for path, item in _items(data, ("leaves_out",)):
        name = item.get("packet")
        if not isinstance(name, str):
            continue
        if name in known:
            yield Finding((*path, "packet"), f"packet {shown(name)} is part of this plan")
        if name in left_out:
            yield Finding((*path, "packet"), f"packet {shown(name)} is left out twice")
        left_out.add(name)
    edges: dict[str, list[str]] = {}
    for path, packet in packets:
        for position, name in enumerate(sequence(packet.get("depends_on"))):
            if not isinstance(name, str):
                continue
            if name not in known | left_out:
                message = f"unknown packet {shown(name)}; list it in leaves_out if this plan does not certify it"
                yield Finding((*path, "depends_on", position), message, nearest(name, known | left_out))
            edges.setdefault(str(packet.get("id")), []).append(name)
    for path, packet in packets:
        if _reaches_itself(edges, str(packet.get("id"))):
            yield Finding((*path, "depends_on"), f"packet {shown(packet.get('id'))} depends on itself in the end")


def _reaches_itself(edges: Mapping[str, list[str]], start: str) -> bool:
    waiting, seen = list(edges.get(start, ())), set()
    while waiting:
        name = waiting.pop()
        if name == start:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(edges.get(name, ()))
    return False


def _packet(path: Path, packet: dict[str, Any]) -> Iterator[Finding]:
    if packet.get("blocked") is None and not sequence(packet.get("gates")):
        message = "a packet without gates certifies nothing; give it gates, or say why it is blocked"
        yield Finding((*path, "gates"), message, on_key=True)


def _gate(path: Path, gate: dict[str, Any]) -> Iterator[Finding]:
    ways = [way for way in ("evidence", "open", "attest") if gate.get(way) is not None]
    if len(ways) != 1:
        given = " and ".join(ways) or "none"
        yield Finding(path, f"a gate has exactly one of evidence, open and attest; this one has {given}")
    if gate.get("evidence") == []:
        yield Finding((*path, "evidence"), "must not be empty; a gate with no evidence yet says why it is open")
    if gate.get("checks") and "evidence" not in gate:
        yield Finding((*path, "checks"), "checks narrow evidence, and this gate has none", on_key=True)
    priority = gate.get("priority")
    if priority in ("P1", "P2"):
        for key in _CONDITION_KEYS:
            if gate.get(key) is None:
                message = f"missing key {key!r}; an open {priority} gate becomes a condition and needs it"
                yield Finding((*path, key), message, on_key=True)


def _blocks(gate: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return gate.get("priority") == "P0" or (gate.get("priority") == "P1" and data.get("p1_blocks") is True)


def _evidence_uses(
    data: Mapping[str, Any],
    gates: list[tuple[Path, dict[str, Any]]],
    evidence: list[tuple[Path, dict[str, Any]]],
) -> Iterator[Finding]:
    known, judged = set(_ids(evidence)), set()
    for path, item in [*gates, *_items(data, ("failure_classes",))]:
        for position, name in enumerate(sequence(item.get("evidence"))):
            if not isinstance(name, str):
                continue
            if path[0] == "packets":
                judged.add(name)
            if name not in known:
                message = f"unknown evidence {shown(name)}{one_of(known)}"
                yield Finding((*path, "evidence", position), message, nearest(name, known))
    for path, item in evidence:
        if isinstance(item.get("id"), str) and item["id"] not in judged:
            yield Finding((*path, "id"), f"no gate judges evidence {shown(item['id'])}")


def _waivers(data: Mapping[str, Any], gates: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    by_id = {gate["id"]: gate for _, gate in gates if isinstance(gate.get("id"), str)}
    for path, waiver in _items(data, ("waivers",)):
        name = waiver.get("gate")
        if not isinstance(name, str):
            continue
        if name not in by_id:
            yield Finding((*path, "gate"), f"unknown gate {shown(name)}{one_of(by_id)}", nearest(name, by_id))
        elif _blocks(by_id[name], data):
            yield Finding((*path, "gate"), f"gate {shown(name)} blocks and cannot be waived")
