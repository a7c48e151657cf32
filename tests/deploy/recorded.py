"""What a recorded run says: series scrape by scrape for promtool, and when the stack itself had which alert active.

Reads the files of the run's bundle and nothing of the stack's memory.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.deploy.rulebook import alert_name

START_S: Final = 1_770_595_200
FIRST_SCRAPE_S: Final = 17
EVERY_S: Final = 15
NAMES: Final = (
    "pulse_monitor_poll_consecutive_failures",
    "pulse_monitor_poll_staleness_seconds",
    "pulse_monitor_poll_interval_seconds",
    "pulse_monitor_poll_errors_total",
    "pulse_monitor_poll_duration_seconds_bucket",
)
_LINE: Final = re.compile(r"(?P<series>(?P<name>\w+)\{.*\}) (?P<value>\S+) (?P<stamp>\d+(?:\.\d+)?)")
_RAISED: Final = "alert %(alert)s raised for %(instance)s: %(severity)s"
_RESOLVED: Final = "alert %(alert)s resolved for %(instance)s: %(resolution)s"


@cache
def series(bundle: Path) -> dict[str, list[str | None]]:
    """By series the value of every scrape; one that was not written again had not changed."""
    points: dict[str, dict[int, str]] = {}
    for line in (bundle / "metrics.om").read_text("utf-8").splitlines():
        found = _LINE.fullmatch(line)
        if found is not None and found["name"] in NAMES:
            index = round((float(found["stamp"]) - START_S - FIRST_SCRAPE_S) / EVERY_S)
            points.setdefault(found["series"], {})[index] = found["value"]
    scrapes = 1 + max(index for values in points.values() for index in values)
    return {name: list(_filled(values, scrapes)) for name, values in sorted(points.items())}


def _filled(values: dict[int, str], scrapes: int) -> Iterator[str | None]:
    value = None
    for index in range(scrapes):
        value = values.get(index, value)
        yield value


@dataclass(frozen=True)
class Span:
    """A time in which an alert was active, in seconds of the run; `until_s` is infinite for one never resolved."""

    rule: str
    instance: str
    severity: str
    from_s: float
    until_s: float


@cache
def spans(bundle: Path) -> list[Span]:
    """Every alert of ours that the stack's log names, in the order they were raised."""
    open_at: dict[tuple[str, str], tuple[float, str]] = {}
    found = []
    for line in (bundle / "observations.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        data = record.get("data", {})
        if record.get("kind") != "log" or data["template"] not in (_RAISED, _RESOLVED):
            continue
        fields, at_s = data["fields"], record["t"] / 1e9
        key = (fields["alert"], fields["instance"])
        if fields["alert"] == "appliance":
            continue
        if data["template"] == _RAISED:
            open_at[key] = (at_s, fields["severity"])
        else:
            from_s, severity = open_at.pop(key)
            found.append(Span(*key, severity, from_s, at_s))
    found += [Span(*key, severity, from_s, float("inf")) for key, (from_s, severity) in open_at.items()]
    return sorted(found, key=lambda span: (span.from_s, span.rule, span.instance))


def rule_test(
    rules_file: Path,
    recorded: dict[str, list[str | None]],
    alerts: list[Span],
    rules: list[str],
    left_out: Sequence[tuple[float, float]] = (),
) -> Any:
    """A promtool unit test: at every scrape, what the stack had active. Where the stack changed its mind within one
    evaluation interval of a scrape, that scrape is not asked about for that rule; nor is any in a time ``left_out``.
    """
    scrapes = len(next(iter(recorded.values())))
    asked = []
    for index in range(scrapes):
        at_s = FIRST_SCRAPE_S + index * EVERY_S
        if any(from_s <= at_s <= to_s for from_s, to_s in left_out):
            continue
        for rule in rules:
            mine = [span for span in alerts if span.rule == rule]
            if any(abs(edge - at_s) < EVERY_S for span in mine for edge in (span.from_s, span.until_s)):
                continue
            active = [span for span in mine if span.from_s <= at_s < span.until_s]
            asked.append(
                {
                    "eval_time": f"{index * EVERY_S}s",
                    "alertname": alert_name(rule),
                    "exp_alerts": [
                        {
                            "exp_labels": {
                                "rule": rule,
                                "severity": span.severity,
                                "instance": span.instance,
                                "instance_type": "truenas",
                                **_extra(rule),
                            },
                            "exp_annotations": {"summary": _summary(rules_file, rule, span.instance)},
                        }
                        for span in active
                    ],
                }
            )
    values = [{"series": name, "values": " ".join(_value(v) for v in each)} for name, each in recorded.items()]
    return {
        "rule_files": [str(rules_file)],
        "evaluation_interval": f"{EVERY_S}s",
        "tests": [{"interval": f"{EVERY_S}s", "input_series": values, "alert_rule_test": asked}],
    }


def _value(value: str | None) -> str:
    return "_" if value is None else value


def _extra(rule: str) -> dict[str, str]:
    return {"auth": {"error_type": "auth"}, "timeouts": {"error_type": "timeout"}}.get(
        rule, {"error_type": "connection"} if rule == "connection" else {}
    )


def _summary(rules_file: Path, rule: str, instance: str) -> str:
    text = rules_file.read_text("utf-8")
    found = re.search(rf"rule: {rule}, .*?summary: \"(.*?)\"", text, re.S)
    assert found is not None
    return found[1].replace("{{ $labels.instance }}", instance)
