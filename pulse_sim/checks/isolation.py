"""The check that trouble stays where it is: connections to other appliances poll on, on time and without errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pulse_sim.checks.counters import rise
from pulse_sim.checks.coverage import connection_of
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import AFTERMATH_NS, Isolation
from pulse_sim.checks.polls import ERRORS, INSTANCE_TYPE, POLLS
from pulse_sim.checks.wording import amount, at_most_ms, at_ms
from pulse_sim.observation import Connection, FaultWindow, Request, RunLog
from pulse_sim.units import SECOND, format_duration

LATE_NS: Final = 10 * SECOND
"""How much later than its interval a poll may come when the check does not say."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between one poll's first request and the next one's, or the run's end."""

    from_ns: int
    to_ns: int
    evidence: tuple[int, ...]

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.to_ns - self.from_ns


def expected_peace(given: Isolation) -> str:
    """In words."""
    gap = "their interval and 10s" if given.at_most_gap is None else format_duration(given.at_most_gap)
    return f"{', '.join(given.undisturbed)} poll at least every {gap} without errors while others are in trouble"


def find_disturbance(log: RunLog, given: Isolation) -> Finding:
    """Every undisturbed connection in every window of trouble elsewhere, and the minute after it."""
    widest: Gap | None = None
    windows = 0
    for name in given.undisturbed:
        connection = connection_of(log, name)
        gaps = _gaps(log, connection)
        for fault in _trouble_elsewhere(log, connection):
            windows += 1
            window = (fault.from_ns, fault.to_ns + AFTERMATH_NS)
            errors = rise(log, connection.system, window, ERRORS, instance_type=INSTANCE_TYPE, instance=name)
            if errors.amount > 0:
                observed = f"{amount(errors.amount, 'error')} of {name} during {fault.id}"
                return Finding(False, observed, [fault.seq, *errors.evidence])
            if not errors.is_whole:
                raise NoEvidence(f"the scrapes end before the minute after {fault.id}", [fault.seq])
            if not _goes_on(log, connection, window):
                return Finding(False, f"no poll of {name} succeeded during {fault.id}", [fault.seq, *errors.evidence])
            gap = max(_inside(gaps, window), key=lambda one: one.length_ns)
            limit_ns = connection.poll_interval_ns + LATE_NS if given.at_most_gap is None else given.at_most_gap
            if gap.length_ns > limit_ns:
                observed = f"{at_most_ms(gap.length_ns)} without a poll of {name} from {at_ms(gap.from_ns)}"
                return Finding(False, observed, [fault.seq, *gap.evidence])
            widest = gap if widest is None or gap.length_ns > widest.length_ns else widest
    if widest is None:
        raise NoEvidence("no fault window on another appliance")
    observed = f"no error, widest gap {at_most_ms(widest.length_ns)}, {amount(windows, 'window')}"
    return Finding(True, observed, widest.evidence)


def _goes_on(log: RunLog, connection: Connection, window: tuple[int, int]) -> bool:
    """Whether polls were counted as successes; requests that arrive and no error counted may be a count that stands.

    A window of less than two intervals need not have the end of a poll in it.
    """
    labels = {"instance_type": INSTANCE_TYPE, "instance": connection.id, "result": "success"}
    succeeded = rise(log, connection.system, window, POLLS, **labels)
    return succeeded.amount > 0 or window[1] - window[0] < 2 * connection.poll_interval_ns


def _trouble_elsewhere(log: RunLog, connection: Connection) -> Sequence[FaultWindow]:
    """The faults that are none of the connection's business; not those whose time overlaps trouble of its own."""
    faults = log.faults()
    own = [one for one in faults if one.on == connection.appliance or connection.id in one.connections]
    return [
        one
        for one in faults
        if one not in own
        and connection.is_configured_at(one.from_ns)
        and not any(mine.from_ns < one.to_ns + AFTERMATH_NS and one.from_ns < mine.to_ns for mine in own)
    ]


def _gaps(log: RunLog, connection: Connection) -> Sequence[Gap]:
    """The gaps from the run's start over every poll to its end. Raises NoEvidence without a journal."""
    starts = _poll_starts(log.requests(connection.appliance), connection.poll_interval_ns)
    if not starts:
        raise NoEvidence(f"no request to {connection.appliance} in the journal")
    times = [(0, None), *((one.arrival_ns, one.seq) for one in starts), (log.end_ns, None)]
    return [
        Gap(before, after, tuple(seq for seq in (one, two) if seq is not None))
        for (before, one), (after, two) in pairwise(times)
    ]


def _poll_starts(requests: Sequence[Request], interval_ns: int) -> Sequence[Request]:
    """The first request of every poll. A poll lasts at most half its interval, so later ones belong to the next."""
    starts: list[Request] = []
    for request in requests:
        if not starts or request.arrival_ns - starts[-1].arrival_ns > interval_ns // 2:
            starts.append(request)
    return starts


def _inside(gaps: Sequence[Gap], window: tuple[int, int]) -> Sequence[Gap]:
    return [gap for gap in gaps if gap.from_ns < window[1] and window[0] < gap.to_ns]


KINDS: Final[tuple[CheckKind, ...]] = (check_kind("isolation", Isolation, expected_peace, find_disturbance),)
