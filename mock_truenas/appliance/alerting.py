"""Alerts follow from the state: each rule is asked for what it finds, new findings are raised, ended ones cleared.

An alert somebody raised by hand is left alone, and counts as the rule's own where both tell the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from mock_truenas.appliance import draws
from mock_truenas.appliance.alert_rules import RULES, Finding, Rule, View
from mock_truenas.appliance.model import Alert, State

if TYPE_CHECKING:
    from mock_truenas.appliance.nas import Appliance

_Identity = tuple[str, str]
_UNSEEN: Final = object()


@dataclass
class _Asked:
    """What a rule last found, and in what."""

    parts: tuple[Any, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass
class Alerting:
    """The alerts of one appliance that rules raised: ``_ours`` are uuids by class and what they are about.

    ``_resting`` are those that ended because of an overlay; if they hold again while one lies or is lifted, they are
    the same again, dismissed or not.
    """

    seed: int
    present: Mapping[str, Alert]
    _ours: dict[_Identity, str] = field(default_factory=dict)
    _resting: dict[_Identity, Alert] = field(default_factory=dict)
    _asked: dict[str, _Asked] = field(default_factory=dict)

    def judge(
        self, appliance: "Appliance", seen: State, alerts: Mapping[str, Alert], now_ns: int, *, resting: bool
    ) -> Mapping[str, Alert]:
        """The alerts that hold in a state; the very same mapping when none came or went."""
        found = self._found(View(seen, now_ns, appliance.release.dialect, appliance))
        if found is None:
            return alerts
        changed = dict(alerts)
        for identity in [identity for identity in self._ours if identity not in found]:
            ended = changed.pop(self._ours.pop(identity), None)
            if ended is not None and resting:
                self._resting[identity] = ended
        for identity, (rule, finding) in found.items():
            self._raise(changed, identity, rule, finding, now_ns)
        if not resting:
            self._resting.clear()
        same = changed.keys() == alerts.keys() and all(changed[uuid] is alerts[uuid] for uuid in changed)
        return alerts if same else changed

    def forget_findings(self) -> None:
        """Ask every rule anew, as another release has others."""
        self._asked.clear()

    def _found(self, view: View) -> dict[_Identity, tuple[Rule, Finding]] | None:
        """What all rules find; None when no rule had reason to look."""
        looked = False
        for rule in RULES:
            asked = self._asked.setdefault(rule.name, _Asked((_UNSEEN,)))
            parts = tuple([getattr(view.state, part) for part in rule.reads])
            if rule.timed or len(parts) != len(asked.parts) or any(map(_differ, parts, asked.parts)):
                looked = True
                asked.parts = parts
                asked.findings = tuple(rule.find(view)) if rule.holds_in(view.dialect) else ()
        if not looked:
            return None
        return {
            (rule.klass, finding.about): (rule, finding)
            for rule in RULES
            for finding in self._asked[rule.name].findings
        }

    def _raise(self, alerts: dict[str, Alert], identity: _Identity, rule: Rule, finding: Finding, now_ns: int) -> None:
        uuid = self._ours.get(identity)
        known = alerts.get(uuid) if uuid is not None else _told_by_hand(alerts, rule, finding)
        if known is None:
            rested = self._resting.pop(identity, None)
            known = rested or Alert(
                uuid=draws.uuid(self.seed, "alert", *identity, now_ns),
                klass=rule.klass,
                level=rule.level,
                text=rule.text,
                raised_at_ns=now_ns,
                source=rule.source,
                key=_key(finding),
            )
        self._ours[identity] = known.uuid
        if known.args != finding.args:
            known = replace(known, args=finding.args, last_at_ns=now_ns)
        alerts[known.uuid] = known


def _differ(one: object, other: object) -> bool:
    return one is not other


def _key(finding: Finding) -> str:
    return json.dumps(finding.args if finding.key is None else finding.key, sort_keys=True)


def _told_by_hand(alerts: Mapping[str, Alert], rule: Rule, finding: Finding) -> Alert | None:
    for alert in alerts.values():
        if alert.klass == rule.klass and rule.about(alert.args) == finding.about:
            return alert
    return None
