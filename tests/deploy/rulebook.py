"""The rules file compared with the stack's own rules: every expression as the table implies it, every label."""

from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from pulse_sim.stack.alerts.rules import EVALUATION_S, QUANTILE, RULES, Measure, Rule

RULES_FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "truenas.rules.yml"
_ONE_TYPE: Final = 'instance_type="truenas"'


def expression(rule: Rule) -> str:
    """The PromQL of a rule."""
    if rule.measure is Measure.CONSECUTIVE_FAILURES:
        return f"pulse_monitor_poll_consecutive_failures{{{_ONE_TYPE}}} > {rule.threshold:g}"
    if rule.measure is Measure.STALENESS:
        name = "pulse_monitor_poll_staleness_seconds"
        interval = f"(pulse_monitor_poll_interval_seconds or {name} * 0)"
        return f"{name}{{{_ONE_TYPE}}} > clamp_min({rule.intervals:g} * {interval}, {rule.threshold:g})"
    if rule.measure is Measure.ERROR_RISE:
        name = "pulse_monitor_poll_errors_total"
        rise = f'{name}{{{_ONE_TYPE},error_type="{rule.error_type}"}} - {_then(name, rule.window_s)}'
        return f"{rise} > {rule.threshold:g}"
    name = "pulse_monitor_poll_duration_seconds_bucket"
    rise = f"{name}{{{_ONE_TYPE}}} - {_then(name, rule.window_s)}"
    return f"histogram_quantile({QUANTILE:g}, {rise}) > {rule.threshold:g}"


def _then(name: str, window_s: int) -> str:
    return f"(({name} offset {window_s}s <= {name}) or {name} * 0)"


def alert_name(rule_id: str) -> str:
    """The name of a rule in the file: ``stale-critical`` is ``TrueNASStaleCritical``."""
    return "TrueNAS" + "".join(part.capitalize() for part in rule_id.split("-"))


def differences(text: str) -> list[str]:
    """What the text of a rules file says otherwise than the stack's rules; empty when they agree."""
    (group,) = YAML(typ="safe", pure=True).load(text)["groups"]
    found = {}
    for entry in group["rules"]:
        rule_id = str(entry["labels"]["rule"])
        found[rule_id] = {
            "alert": entry["alert"],
            "expr": " ".join(entry["expr"].split()),
            "severity": entry["labels"]["severity"],
            "for": entry.get("for", "0s"),
        }
    wanted: dict[str, dict[str, Any]] = {
        rule.id: {
            "alert": alert_name(rule.id),
            "expr": expression(rule),
            "severity": rule.severity.value,
            "for": "0s",
        }
        for rule in RULES
    }
    told = [] if group["interval"] == f"{EVALUATION_S}s" else [f"interval: {group['interval']}"]
    if list(found) != list(wanted):
        told.append(f"rules: {list(found)}")
    for rule_id in found.keys() & wanted.keys():
        told += [
            f"{rule_id}: {found[rule_id][key]}"
            for key, value in wanted[rule_id].items()
            if found[rule_id][key] != value
        ]
    return sorted(told)
