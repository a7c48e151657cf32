"""What operators may change about the rules, for all or for one resource id, source id or type (contract A9, A10).

Plain data in, plain data out, validated as a whole. Knows neither file nor route.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulse_sim.stack.alerts.rules import APPLIANCE, RULES, Measure, Severity

TARGETS: Final = ("resource", "source", "type")
"""What an override may aim at, the most specific first."""
MOST_OVERRIDES: Final = 200
LARGEST_THRESHOLD: Final = 1e9
_LONGEST_TARGET: Final = 512
_RULE_IDS: Final = (*(rule.id for rule in RULES), APPLIANCE)
_WITH_THRESHOLD: Final = frozenset(rule.id for rule in RULES)
_WITH_INTERVALS: Final = frozenset(rule.id for rule in RULES if rule.measure is Measure.STALENESS)

Settings = Mapping[str, Any]
"""Fields of one rule: `enabled`, `severity`, `notify`, and `threshold` and `intervals` where the rule has them."""


class ConfigInvalid(ValueError):
    """A configuration that cannot be used; `problems` maps paths to what is wrong there, without values."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for path, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule as it holds for one resource. `severity` None leaves an appliance's own alert as severe as it came."""

    rule: str
    enabled: bool
    severity: Severity | None
    notify: bool
    threshold: float = 0.0
    intervals: float = 0.0

    def above(self, interval_s: float) -> float:
        """What the measure of a connection polled at this interval has to exceed."""
        return max(self.threshold, self.intervals * interval_s)


@dataclass(frozen=True, slots=True)
class Override:
    """Other settings for one target; `kind` is one of TARGETS."""

    kind: str
    target: str
    rules: Mapping[str, Settings]


_DEFAULTS: Final = {
    **{rule.id: Limit(rule.id, True, rule.severity, rule.notify, rule.threshold, rule.intervals) for rule in RULES},
    APPLIANCE: Limit(APPLIANCE, True, None, False),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of rules that differ from A10, and overrides."""

    rules: Mapping[str, Settings] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()

    def limits(self, resource_id: str, source_id: str, kind: str) -> dict[str, Limit]:
        """Every rule as it holds for a resource: overrides of its id win over those of its source id, then its type."""
        found = {rule: _changed(limit, self.rules.get(rule, {})) for rule, limit in _DEFAULTS.items()}
        targets = {"resource": resource_id, "source": source_id, "type": kind}
        for target in reversed(TARGETS):
            for override in self.overrides:
                if override.kind == target and override.target == targets[target]:
                    for rule, settings in override.rules.items():
                        found[rule] = _changed(found[rule], settings)
        return found

    def to_data(self) -> dict[str, Any]:
        """`{rules: {<id>: {enabled, severity, notify, threshold, intervals}}, overrides: [{target, rules}]}`, whole."""
        limits = {rule: _changed(limit, self.rules.get(rule, {})) for rule, limit in _DEFAULTS.items()}
        return {
            "rules": {rule: _shown(limit) for rule, limit in limits.items()},
            "overrides": [
                {
                    "target": {override.kind: override.target},
                    "rules": {rule: dict(settings) for rule, settings in override.rules.items()},
                }
                for override in self.overrides
            ],
        }


AS_DELIVERED: Final = Config()
"""Every rule as A10 has it."""


def _changed(limit: Limit, settings: Settings) -> Limit:
    severity = settings.get("severity", limit.severity)
    return Limit(
        limit.rule,
        settings.get("enabled", limit.enabled),
        None if severity is None else Severity(severity),
        settings.get("notify", limit.notify),
        settings.get("threshold", limit.threshold),
        settings.get("intervals", limit.intervals),
    )


def _shown(limit: Limit) -> dict[str, Any]:
    shown: dict[str, Any] = {"enabled": limit.enabled, "notify": limit.notify}
    if limit.severity is not None:
        shown["severity"] = limit.severity.value
    if limit.rule in _WITH_THRESHOLD:
        shown["threshold"] = limit.threshold
    if limit.rule in _WITH_INTERVALS:
        shown["intervals"] = limit.intervals
    return shown


def read_config(data: Any) -> Config:
    """A configuration from JSON values; what is not given is as A10 has it. Raises ConfigInvalid with all problems."""
    problems: dict[str, str] = {}
    if not isinstance(data, Mapping):
        raise ConfigInvalid({"": "must be an object"})
    for key in data.keys() - {"rules", "overrides"}:
        problems[_named(key)] = "unknown field"
    rules = _rules(data.get("rules", {}), "rules", problems)
    overrides: list[Override] = []
    given = data.get("overrides", [])
    if not isinstance(given, list) or len(given) > MOST_OVERRIDES:
        problems["overrides"] = f"must be a list of at most {MOST_OVERRIDES}"
    else:
        for index, entry in enumerate(given):
            override = _override(entry, f"overrides[{index}]", problems)
            if override is not None:
                overrides.append(override)
    if problems:
        raise ConfigInvalid(dict(sorted(problems.items())))
    return Config(rules, tuple(overrides))


def _override(entry: Any, path: str, problems: dict[str, str]) -> Override | None:
    if not isinstance(entry, Mapping) or entry.keys() != {"target", "rules"}:
        problems[path] = "must be an object with target and rules"
        return None
    target = entry["target"]
    if not isinstance(target, Mapping) or len(target) != 1 or next(iter(target)) not in TARGETS:
        problems[f"{path}.target"] = f"must be an object with one of {', '.join(TARGETS)}"
        return None
    kind, value = next(iter(target.items()))
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TARGET:
        problems[f"{path}.target.{kind}"] = f"must be a text of 1 to {_LONGEST_TARGET} characters"
        return None
    return Override(kind, value, _rules(entry["rules"], f"{path}.rules", problems))


def _rules(data: Any, path: str, problems: dict[str, str]) -> dict[str, dict[str, Any]]:
    if not isinstance(data, Mapping):
        problems[path] = "must be an object"
        return {}
    found = {}
    for rule, settings in data.items():
        where = f"{path}.{_named(rule)}"
        if rule not in _RULE_IDS:
            problems[where] = "unknown rule"
        elif not isinstance(settings, Mapping):
            problems[where] = "must be an object"
        else:
            found[rule] = {key: value for key, value in settings.items() if _fits(rule, key, value, where, problems)}
    return found


def _fits(rule: str, key: str, value: Any, path: str, problems: dict[str, str]) -> bool:
    has_it = {
        "enabled": True,
        "notify": True,
        "severity": True,
        "threshold": rule in _WITH_THRESHOLD,
        "intervals": rule in _WITH_INTERVALS,
    }
    if not has_it.get(key, False):
        problem = "unknown field"
    elif key in ("enabled", "notify"):
        problem = "" if isinstance(value, bool) else "must be true or false"
    elif key == "severity":
        problem = "" if value in list(Severity) else f"must be one of {', '.join(Severity)}"
    else:
        problem = "" if _is_threshold(value) else f"must be a number from 0 to {LARGEST_THRESHOLD:.0f}"
    if problem:
        problems[f"{path}.{_named(key)}"] = problem
    return not problem


def _is_threshold(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= LARGEST_THRESHOLD and (isinstance(value, int) or math.isfinite(value))


def _named(key: Any) -> str:
    """A key somebody sent, as part of a path: short and printable."""
    text = str(key)[:40]
    return text if text.isprintable() and text.isascii() else "?"
