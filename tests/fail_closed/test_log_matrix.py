"""Every kind of record × every damage that leaves a log whole: the run does not pass, unless nothing was lost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from pulse_sim.evidence.hostile import read_yaml
from pulse_sim.evidence.judgement import judge_log
from pulse_sim.observation import LogDamaged, Record, RunLog
from pulse_sim.outcome import Outcome
from tests.cli.command import pulse_sim
from tests.fail_closed.damages import DAMAGES, kind_of, written

SCENARIO: Final = Path(__file__).with_name("scenario.yaml")
KINDS: Final = (
    "appliance/request",
    "appliance/truth",
    "fault/heal",
    "fault/inject",
    "operator/action",
    "sampler/alerts",
    "sampler/connections",
    "sampler/health",
    "sampler/metrics",
    "sampler/resources",
    "sut/log",
    "sut/started",
    "sut/stopped",
    "world/counts",
    "world/disk",
    "world/phase",
    "world/start",
)
"""Every kind of record the run writes, but for its end: that the file ends is a matter of the file."""

AGAIN: Final = "what is told twice is the same thing, and neither a count nor a difference rests on it"
NOT_ASKED: Final = "no check of the scenario asks for it"
SAYS_THE_SAME: Final[Mapping[tuple[str, str], str]] = {
    ("appliance/request", "constant"): "requests are counted, and there are as many",
    ("appliance/request", "duplicated"): "twice the requests are still fewer than the limit",
    ("appliance/truth", "duplicated"): AGAIN,
    ("fault/heal", "duplicated"): AGAIN,
    ("operator/action", "duplicated"): AGAIN,
    ("sampler/connections", "missing"): NOT_ASKED,
    ("sampler/connections", "empty"): NOT_ASKED,
    ("sampler/connections", "stale"): NOT_ASKED,
    ("sampler/connections", "constant"): NOT_ASKED,
    ("sampler/connections", "too few samples"): NOT_ASKED,
    ("sampler/connections", "duplicated"): NOT_ASKED,
    ("sampler/connections", "reordered"): NOT_ASKED,
    ("sampler/health", "duplicated"): AGAIN,
    ("sampler/metrics", "duplicated"): AGAIN,
    ("sampler/resources", "duplicated"): AGAIN,
    ("sut/log", "stale"): "the one line asked for is in the first half",
    ("sut/log", "too few samples"): "the one line asked for is the first",
    ("sut/log", "reordered"): "the one line asked for is there at any time",
    ("sut/started", "empty"): "which build ran is told to people; no check of the scenario asks for it",
    ("sut/started", "wrong type"): "which build ran is told to people; no check of the scenario asks for it",
    ("sut/stopped", "missing"): NOT_ASKED,
    ("sut/stopped", "empty"): NOT_ASKED,
    ("sut/stopped", "stale"): NOT_ASKED,
    ("sut/stopped", "wrong type"): NOT_ASKED,
    ("sut/stopped", "duplicated"): NOT_ASKED,
    ("world/counts", "constant"): "the counts at the end are those of the beginning, as they should be",
    ("world/counts", "reordered"): "the counts at the end are those of the beginning, as they should be",
    ("world/counts", "duplicated"): AGAIN,
    ("world/disk", "duplicated"): AGAIN,
    ("world/phase", "duplicated"): AGAIN,
}
"""Where nothing is lost: what the damaged records say of what is asked is what the whole ones say."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = pulse_sim("run", SCENARIO, "--out", tmp_path_factory.mktemp("runs"), "--json")
    assert done.status == 0, done.err
    return Path(done.rows[0]["bundle"])


@pytest.fixture(scope="module")
def whole(bundle: Path) -> RunLog:
    return RunLog.load(bundle)


@pytest.fixture(scope="module")
def document(bundle: Path) -> dict[str, Any]:
    return read_yaml(bundle, "scenario.yaml")


def test_the_whole_log_passes_and_its_kinds_are_the_matrix(whole: RunLog, document: dict[str, Any]) -> None:
    again = written(whole.header, whole.records)
    assert judge_log(document, again).outcome is Outcome.PASSED
    assert {kind_of(record) for record in whole.records} == {*KINDS, "world/end"}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_records_do_not_pass(kind: str, damage: str, whole: RunLog, document: dict[str, Any]) -> None:
    records = DAMAGES[damage](whole.records, kind)
    try:
        outcome = judge_log(document, written(whole.header, records)).outcome
    except LogDamaged:
        outcome = Outcome.INCONCLUSIVE
    expected = told(records) == told(whole.records) or (kind, damage) in SAYS_THE_SAME
    assert (outcome is Outcome.PASSED) is expected, outcome


def told(records: Sequence[Record]) -> list[tuple[object, ...]]:
    """What a log says, for damages that find nothing to damage: the order of a single record."""
    return [(record.time_ns, record.source, record.kind, record.subject, record.data) for record in records]
