"""What a person at a terminal reads at the end: short, and safe whatever names the appliance chose.

Prints a report model to a rich console. Names never reach rich's markup parser and carry no control character.
"""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from pulse_sim.outcome import Outcome
from pulse_sim.report.model import VerdictReport
from pulse_sim.report.text import plain
from pulse_sim.verdict import Verdict

_STYLES = {
    Outcome.PASSED: "green",
    Outcome.SKIPPED: "yellow",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.FAILED: "red",
    Outcome.ERRORED: "bold red",
}
_VERDICT_STYLES = {
    Verdict.GO: "bold white on green",
    Verdict.GO_WITH_CONDITIONS: "bold black on yellow",
    Verdict.NO_GO: "bold white on red",
}
_OUTCOME_WIDTH = 14
_TITLE_WIDTH = 36


def print_verdict(console: Console, report: VerdictReport, bundle: Path | None) -> None:
    """Verdict, failure classes, first failing reason, conditions, where the evidence lies, the line that repeats it."""
    verdict = report.verdict
    console.print(Text(f" {verdict.verdict.value} ", _VERDICT_STYLES[verdict.verdict]), Text(report.why))
    widest = min(max((len(row.title) for row in report.rows), default=0), _TITLE_WIDTH)
    for row in report.rows:
        line = Text().append(row.outcome.value.ljust(_OUTCOME_WIDTH), _STYLES[row.outcome])
        line.append(f"{plain(row.title, widest).ljust(widest)}  {row.happened}")
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, no_wrap=True)
    if report.first_reason and verdict.verdict is Verdict.NO_GO:
        console.print(Text("first failing reason: ", "bold"), Text(report.first_place), sep="")
        console.print(Text(f"  {report.first_reason}"))
    for one in verdict.conditions:
        told = f"{one.gate} ({one.priority}) {one.title}: {one.reason}"
        owed = f"risk {one.risk} {one.severity}, owner {one.owner}, by {one.target}"
        console.print(Text("condition: ", "bold yellow"), Text(plain(f"{told}; {owed}")), sep="")
    for use in verdict.waivers:
        told = f"{use.gate} {use.state}, until {use.expires}, {use.owner}: {use.reason}"
        console.print(Text("waiver: ", "bold yellow"), Text(plain(told)), sep="")
    for closing in verdict.closed_conditions:
        told = f"{closing.gate} {closing.state}, {closing.by} on {closing.on}: {closing.evidence}"
        console.print(Text("stated to be closed: ", "bold yellow"), Text(plain(told)), sep="")
    if report.coverage is not None:
        told = ", ".join(f"{tally.exercised} of {tally.of} {tally.axis}" for tally in report.coverage.tallies)
        console.print(Text("exercised: ", "dim"), Text(plain(told)), sep="")
    if verdict.leaves_out:
        names = ", ".join(packet for packet, _ in verdict.leaves_out)
        console.print(Text("leaves out: ", "dim"), Text(plain(names)), sep="")
    _print_end(console, report.replay, bundle)


def _print_end(console: Console, replay: str, bundle: Path | None) -> None:
    if bundle is not None:
        console.print(Text("bundle: ", "dim"), Text(plain(bundle)), sep="", soft_wrap=True)
    console.print(Text("replay: ", "dim"), Text(replay), sep="", soft_wrap=True)
