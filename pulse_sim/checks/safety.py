"""Checks of what must hold from start to end: systems keep answering, and no secret becomes readable."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.checks.coverage import require_seen, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import NeverCrashes, NoSecretLeaks
from pulse_sim.checks.wording import at_ms
from pulse_sim.observation import Record, RunLog, Scrape, Source
from pulse_sim.observation.secrecy import find_secret_forms


def expected_life(given: NeverCrashes) -> str:
    """In words."""
    who = "every system" if given.system is None else given.system
    return f"{who} never crashes and answers every scrape and health probe while it is up"


def find_crashes(log: RunLog, given: NeverCrashes) -> Finding:
    """The first of: a crash, a failed scrape while up, a health probe not answered 200 while up."""
    systems = log.systems if given.system is None else (given.system,)
    if not systems:
        raise NoEvidence("the log knows no system")
    crashes = [record for record in log.of(Source.SUT, "crash") if record.subject in systems]
    if crashes:
        first = crashes[0]
        what = first.data.get("exception") or first.data.get("kind") or "unknown"
        observed = f"{first.subject} crashed at {at_ms(first.time_ns)}: {str(what)[:80]}"
        return Finding(False, observed, [record.seq for record in crashes])
    looks: list[int] = []
    for system in systems:
        require_started(log, system)
        for what, probes, interval_ns in (
            ("scrape", log.scrapes(system), log.metrics_interval_ns),
            ("health probe", log.health(system), log.resources_interval_ns),
        ):
            unanswered = [probe for probe in _while_up(log, system, probes) if not probe.ok]
            if unanswered:
                return _unanswered(system, what, unanswered)
            times = [probe.time_ns for probe in probes]
            require_seen(log, system, times, (0, log.end_ns), interval_ns, f"{what} of {system}")
            looks.extend(probe.seq for probe in probes)
    return Finding(True, f"no crash, {len(looks)} probes answered", [looks[0], looks[-1]])


def _while_up(log: RunLog, system: str, probes: Sequence[Scrape]) -> Sequence[Scrape]:
    lives = log.up(system)
    return [probe for probe in probes if any(life.has_seq(probe.seq) for life in lives)]


def _unanswered(system: str, what: str, probes: Sequence[Scrape]) -> Finding:
    first = probes[0]
    how = f"answered {first.status}" if first.status is not None else "unanswered"
    observed = f"{what} of {system} {how} at {at_ms(first.time_ns)}, {len(probes)} in all"
    return Finding(False, observed, [probe.seq for probe in probes])


def find_leaks(log: RunLog, _given: NoSecretLeaks) -> Finding:
    """Both files as they are, and what the world found on the systems' disks at the end."""
    leaks: list[tuple[str, int | None]] = []
    for name, content in log.raw_files.items():
        if find_secret_forms(content):
            leaks.extend(_leaking_lines(log, name))
    looks = log.of(Source.WORLD, "disk")
    leaks.extend((f"on the disk of {look.subject}", look.seq) for look in looks if look.data["leaks"])
    if leaks:
        observed = f"readable {leaks[0][0]}" + (f" and {len(leaks) - 1} more" if len(leaks) > 1 else "")
        return Finding(False, observed, [seq for _, seq in leaks if seq is not None])
    seen = {look.subject for look in looks}
    missing = [system for system in log.systems if system not in seen]
    if missing or not looks:
        raise NoEvidence(f"no look at the disk of {', '.join(missing) or 'any system'}")
    return Finding(True, "none readable", [look.seq for look in looks])


def _leaking_lines(log: RunLog, name: str) -> Sequence[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    for file, number, line in log.raw_lines():
        forms = find_secret_forms(line) if file == name else []
        if forms:
            found.append(
                (f"in {file} line {number} as {forms[0].form}", None if number == 1 else Record.decode(line).seq)
            )
    return found


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("never_crashes", NeverCrashes, expected_life, find_crashes),
    check_kind("no_secret_leaks", NoSecretLeaks, lambda _: "no secret of the run readable anywhere", find_leaks),
)
