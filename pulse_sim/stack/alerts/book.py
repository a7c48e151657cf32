"""The alerts of one stack: raised, acknowledged and resolved, evaluated every 15 s of its own time (contract A10).

Reads the metrics and the registry; polls nothing and sends nothing. Who wants to know subscribes.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pulse_sim.stack.alerts.alert import Alert, Subject, alert_id
from pulse_sim.stack.alerts.config import AS_DELIVERED, Config, Limit, read_config
from pulse_sim.stack.alerts.evaluation import Exceeded, firing
from pulse_sim.stack.alerts.file import AlertFile
from pulse_sim.stack.alerts.native import Native, natives
from pulse_sim.stack.alerts.rules import APPLIANCE, EVALUATION_S, RANK, RULES, Severity
from pulse_sim.stack.alerts.windows import Window
from pulse_sim.stack.connection import DEFAULT_ORG, Connection
from pulse_sim.stack.metrics import INSTANCE_TYPE, Metrics
from pulse_sim.stack.registry import Holding, Registry
from pulse_sim.stack.resources import Record, ResourceType, canonical_id
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.seams import Clock

HISTORY: Final = 500
"""Resolved alerts that are kept, the latest."""
LONGEST_NAME: Final = 100
ENDED, UNWATCHED, DISABLED = "condition ended", "no longer monitored", "rule disabled"

Listener = Callable[[str, Alert], None]
"""Is told `raised`, `acknowledged` or `resolved`, with the alert as it is now. Must not raise."""

_RULES: Final = {rule.id: rule for rule in RULES}
_log = logging.getLogger("pulse.alerts")


class AlertUnknown(LookupError):
    """No active alert has this id."""


@dataclass(slots=True)
class _Watched:
    """What is remembered about one monitored connection between evaluations. `restored` are rules whose alert came
    from disk: the counters began anew with the process, so their silence alone ends none of them. `since` is the
    first evaluation.
    """

    subject: Subject
    since: int
    restored: set[str]
    window: Window = field(default_factory=Window)
    limits: dict[str, Limit] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    natives_of: dict[str, Record] | None = None
    natives: set[str] = field(default_factory=set)


class AlertBook:
    """`monitored` gives the connections that are polled now; `time` is monotonic seconds of the loop."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        registry: Registry,
        file: AlertFile,
        time: Callable[[], float],
        *,
        monitored: Callable[[], Iterable[Connection]],
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._registry = registry
        self._file = file
        self._time = time
        self._monitored = monitored
        self._configs: dict[str, Config] = {}
        self._active: dict[tuple[str, str, str, str], Alert] = {}
        self._past: deque[Alert] = deque(maxlen=HISTORY)
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._listeners: dict[int, Listener] = {}
        self._subscriptions = 0
        self._changed = False

    async def run(self, runtime: Runtime) -> None:
        """Evaluates at every multiple of 15 s of the loop's time until cancelled; a late one replaces those missed."""
        tick = int(self._time() // EVALUATION_S)
        while True:
            # A sleep may end a rounding error too early; the same evaluation is not due again for that.
            tick = max(tick, int(self._time() // EVALUATION_S)) + 1
            await runtime.sleep_until(tick * EVALUATION_S)
            self.evaluate(tick)

    def load(self) -> None:
        """Takes configuration, active and past alerts from disk."""
        kept = self._file.load()
        self._configs = dict(kept.configs)
        for alert in kept.alerts:
            if alert.resolved_ns is None:
                self._active[alert.key] = alert
            else:
                self._past.append(alert)

    def save(self) -> None:
        """Writes what changed since the last save; what could not be written is tried again next time."""
        if self._changed:
            self._changed = not self._file.save(self._configs, [*self._past, *self._active.values()])

    def active(self, org: str | None = None) -> list[Alert]:
        """Alerts not resolved, acknowledged ones included, most severe first, then oldest first."""
        found = [alert for alert in self._active.values() if org is None or alert.subject.org == org]
        return sorted(found, key=lambda alert: (RANK[alert.severity], alert.raised_ns, alert.id))

    def history(self, limit: int = HISTORY, org: str | None = None) -> list[Alert]:
        """The latest alerts, active ones included, last raised first."""
        found = [a for a in (*self._past, *self._active.values()) if org is None or a.subject.org == org]
        return sorted(found, key=lambda alert: (-alert.raised_ns, alert.id))[:limit]

    def acknowledge(self, alert_id: str, by: str, org: str | None = None) -> Alert:
        """Somebody took note; the first to do so stays named. Raises AlertUnknown."""
        for key, alert in self._active.items():
            if alert.id == alert_id and (org is None or alert.subject.org == org):
                if alert.acknowledged_ns is None:
                    alert = self._active[key] = alert.acknowledged(by[:LONGEST_NAME], self._clock.now_ns())
                    self._tell("acknowledged", alert)
                    self.save()
                return alert
        raise AlertUnknown(alert_id)

    def config(self, org: str = DEFAULT_ORG) -> dict[str, Any]:
        """The configuration of an organisation as plain data, whole; what :meth:`set_config` takes."""
        return self._config_of(org).to_data()

    def set_config(self, data: Any, org: str = DEFAULT_ORG) -> dict[str, Any]:
        """Replaces it, from the next evaluation on. Raises ConfigInvalid and changes nothing."""
        self._configs[org] = read_config(data)
        for target, watched in self._watched.items():
            if target[0] == org:
                watched.limits, watched.natives_of = {}, None
        self._changed = True
        self.save()
        return self.config(org)

    def _config_of(self, org: str) -> Config:
        return self._configs.get(org, AS_DELIVERED)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells a listener of every change; call what is returned to end that."""
        self._subscriptions += 1
        number = self._subscriptions
        self._listeners[number] = listener

        def unsubscribe() -> None:
            self._listeners.pop(number, None)

        return unsubscribe

    def notifies(self, alert: Alert) -> bool:
        """Whether this alert is one the webhook is told of."""
        subject = alert.subject
        config = self._config_of(subject.org)
        return config.limits(subject.resource_id, subject.source_id, subject.type)[alert.rule].notify

    def evaluate(self, tick: int) -> None:
        """One evaluation of everything; `tick` counts the grid."""
        present: dict[tuple[str, str], Connection] = {(c.org, c.id): c for c in self._monitored()}
        for target in [target for target in self._watched if target not in present]:
            del self._watched[target]
        for target, connection in present.items():
            watched = self._watched.get(target)
            if watched is None:
                watched = self._watched[target] = self._watch(connection, tick)
            if not watched.limits:
                subject = watched.subject
                config = self._config_of(subject.org)
                watched.limits = config.limits(subject.resource_id, subject.source_id, subject.type)
            self._evaluate_rules(watched, connection, tick)
        for holding in self._registry.holdings():
            if holding.key[1] == INSTANCE_TYPE:
                self._evaluate_natives(holding)
        if self._active:
            self._drop_unwatched()
        self.save()

    def _watch(self, connection: Connection, tick: int) -> _Watched:
        source_id = f"system:{connection.id}"
        resource_id = canonical_id(ResourceType.HOST, f"truenas:{source_id}")
        name = connection.name or connection.id
        subject = Subject(connection.org, connection.id, resource_id, source_id, ResourceType.HOST.value, name)
        mine = [a for a in self._active.values() if (a.subject.org, a.subject.instance) == (subject.org, connection.id)]
        rules = {alert.rule for alert in mine if alert.rule != APPLIANCE}
        of_appliance = {alert.native for alert in mine if alert.rule == APPLIANCE}
        return _Watched(subject, tick, set(rules), active=rules, natives=of_appliance)

    def _evaluate_rules(self, watched: _Watched, connection: Connection, tick: int) -> None:
        reading = self._metrics.readings.get(connection.id)
        if reading is None:
            return
        watched.window.observe(reading, tick)
        found = firing(
            watched.window,
            reading,
            watched.limits,
            staleness_s=self._metrics.staleness(connection.id),
            interval_s=connection.poll_interval_s,
            tick=tick,
        )
        if not found and not watched.active:
            return
        for rule, exceeded in found.items():
            watched.restored.discard(rule)
            if rule not in watched.active:
                watched.active.add(rule)
                self._raise_rule(watched, rule, exceeded)
        for rule in [rule for rule in _RULES if rule in watched.active and rule not in found]:
            disabled = not watched.limits[rule].enabled
            if not disabled and rule in watched.restored and not _is_over(rule, watched, reading.successes, tick):
                continue
            watched.active.discard(rule)
            subject = watched.subject
            self._resolve((subject.org, rule, subject.source_id, ""), DISABLED if disabled else ENDED)

    def _raise_rule(self, watched: _Watched, rule: str, exceeded: Exceeded) -> None:
        value, threshold = exceeded
        severity = watched.limits[rule].severity or _RULES[rule].severity
        now_ns = self._clock.now_ns()
        message = _RULES[rule].words.format(threshold=f"{threshold:g}")
        key = alert_id(watched.subject, rule, "", now_ns)
        self._raise(Alert(key, rule, severity, watched.subject, message, now_ns, value, threshold))

    def _evaluate_natives(self, holding: Holding) -> None:
        """Raises and resolves what an appliance says itself, when a poll has brought something since the last time."""
        watched = self._watched.get((holding.key[0], holding.key[2]))
        if watched is None or watched.natives_of is holding.records or holding.seen_at is None:
            return
        watched.natives_of = holding.records
        wanted = {}
        for native in natives(holding):
            subject = native.subject
            config = self._config_of(subject.org)
            limit = config.limits(subject.resource_id, subject.source_id, subject.type)[APPLIANCE]
            if limit.enabled:
                wanted[native.id] = (native, limit.severity or native.severity)
        for alert in [alert for alert in self._active.values() if _is_native_of(holding, alert)]:
            kept = wanted.get(alert.native)
            if kept is None or (kept[0].subject.source_id, kept[1]) != (alert.subject.source_id, alert.severity):
                watched.natives.discard(alert.native)
                self._resolve(alert.key, ENDED)
        for native, severity in wanted.values():
            if native.id not in watched.natives:
                watched.natives.add(native.id)
                self._raise_native(native, severity)

    def _raise_native(self, native: Native, severity: Severity) -> None:
        now_ns = self._clock.now_ns()
        key = alert_id(native.subject, APPLIANCE, native.id, now_ns)
        self._raise(Alert(key, APPLIANCE, severity, native.subject, native.message, now_ns, native=native.id))

    def _drop_unwatched(self) -> None:
        for key, alert in list(self._active.items()):
            if (alert.subject.org, alert.subject.instance) not in self._watched:
                self._resolve(key, UNWATCHED)

    def _raise(self, alert: Alert) -> None:
        self._active[alert.key] = alert
        fields = {"alert": alert.rule, "instance": alert.subject.instance, "severity": alert.severity.value}
        _log.warning("alert %(alert)s raised for %(instance)s: %(severity)s", fields)
        self._tell("raised", alert)

    def _resolve(self, key: tuple[str, str, str, str], resolution: str) -> None:
        alert = self._active.pop(key, None)
        if alert is None:
            return
        alert = alert.resolved(self._clock.now_ns(), resolution)
        self._past.append(alert)
        fields = {"alert": alert.rule, "instance": alert.subject.instance, "resolution": resolution}
        _log.info("alert %(alert)s resolved for %(instance)s: %(resolution)s", fields)
        self._tell("resolved", alert)

    def _tell(self, event: str, alert: Alert) -> None:
        self._changed = True
        for listener in list(self._listeners.values()):
            listener(event, alert)


def _is_native_of(holding: Holding, alert: Alert) -> bool:
    org, _, instance = holding.key
    return alert.rule == APPLIANCE and (alert.subject.org, alert.subject.instance) == (org, instance)


def _is_over(rule: str, watched: _Watched, successes: int, tick: int) -> bool:
    """Whether an alert from before a restart may end: its whole window was watched, or a poll succeeded since."""
    window_s = _RULES[rule].window_s
    if window_s:
        return (tick - watched.since) * EVALUATION_S >= window_s
    return successes > 0
