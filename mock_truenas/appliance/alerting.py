"""Alerts follow from the state: each rule is asked for what it finds, new findings are raised, ended ones cleared.

An alert somebody raised by hand is left alone, and becomes the rule's own where both tell the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mock_truenas.appliance import draws
from mock_truenas.appliance.alert_findings import Finding, View
from mock_truenas.appliance.alert_rules import RULES, Rule
from mock_truenas.appliance.model import Alert

_Identity = tuple[str, str]
_Found = dict[_Identity, tuple[Rule, Finding]]
_LOOK_NS: Final = 600_000_000_000


@dataclass(slots=True)
class _Asked:
    """What a rule last found, in what, and in which ten minutes."""

    parts: tuple[Any, ...] | None = None
    look: int = -1
    findings: tuple[Finding, ...] = ()


@dataclass
class Alerting:
    """The alerts of one appliance that rules raised: ``_ours`` are uuids by class and what they are about.

    ``_resting`` are those that ended because of an overlay; if they hold again while one lies or is lifted, they are
    the same again, dismissed or not.
    """

    seed: int
    _ours: dict[_Identity, str] = field(default_factory=dict)
    _resting: dict[_Identity, Alert] = field(default_factory=dict)
    _asked: list[_Asked] = field(default_factory=lambda: [_Asked() for _ in RULES])

    def judge(self, view: View, alerts: Mapping[str, Alert], *, resting: bool) -> Mapping[str, Alert]:
        """The alerts that hold in a state; the very same mapping when none came, went or changed."""
        found = self._found(view)
        if found is None:
            if not resting:
                self._resting.clear()
            return alerts
        changed = dict(alerts)
        for identity in [identity for identity in self._ours if identity not in found]:
            ended = changed.pop(self._ours.pop(identity), None)
            if ended is not None and resting:
                self._resting[identity] = ended
        for identity, (rule, finding) in found.items():
            self._raise(changed, identity, rule, finding, view.now_ns)
        if not resting:
            self._resting.clear()
        same = changed.keys() == alerts.keys() and all(changed[uuid] is alerts[uuid] for uuid in changed)
        return alerts if same else changed

    def forget_findings(self) -> None:
        """Ask every rule anew, as another release has others."""
        self._asked = [_Asked() for _ in RULES]

    def _found(self, view: View) -> _Found | None:
        """What all rules find; None when no rule had reason to look."""
        looked = False
        look = view.now_ns // _LOOK_NS
        for rule, asked in zip(RULES, self._asked, strict=True):
            parts = tuple([getattr(view.state, part) for part in rule.reads])
            known = asked.parts
            if (
                known is None
                or (rule.timed and look != asked.look)
                or any([one is not other for one, other in zip(parts, known, strict=True)])  # noqa: C419
            ):
                looked = True
                asked.parts, asked.look = parts, look
                asked.findings = tuple(rule.find(view)) if rule.exists_in(view.dialect) else ()
        if not looked:
            return None
        return {
            (rule.klass, finding.about): (rule, finding)
            for rule, asked in zip(RULES, self._asked, strict=True)
            for finding in asked.findings
        }

    def _raise(self, alerts: dict[str, Alert], identity: _Identity, rule: Rule, finding: Finding, now_ns: int) -> None:
        uuid = self._ours.get(identity)
        if uuid is not None and uuid not in alerts:
            # Somebody cleared it by hand, and its cause lasts: it stays away until that has ended once.
            return
        known = alerts[uuid] if uuid is not None else _told_by_hand(alerts, rule, finding)
        if known is None:
            known = self._resting.pop(identity, None) or Alert(
                uuid=draws.uuid(self.seed, "alert", *identity, now_ns),
                klass=rule.klass,
                level=rule.level,
                text=finding.text or rule.text,
                raised_at_ns=now_ns,
                source=rule.source,
                args=finding.args,
                key=json.dumps(finding.args if finding.key is None else finding.key, sort_keys=True),
            )
        self._ours[identity] = known.uuid
        if known.args != finding.args:
            known = replace(known, args=finding.args, text=finding.text or rule.text, last_at_ns=now_ns)
        alerts[known.uuid] = known


def _told_by_hand(alerts: Mapping[str, Alert], rule: Rule, finding: Finding) -> Alert | None:
    """An alert that says the same already, as a fixture has it."""
    for alert in alerts.values():
        if alert.klass == rule.klass and rule.subject(alert.args) == rule.subject(finding.args):
            return alert
    return None
