"""Whatever a system shows, the run goes on and its log can be read: what cannot be recorded is a look that failed."""

from pathlib import Path
from typing import Any

import pytest

from pulse_sim.observation import LogDamaged, RunLog
from pulse_sim.outcome import Outcome
from pulse_sim.sut.protocol import Answer, Place, SystemFailure
from tests.run.rehearsal import rehearse, scenario
from tests.sut.plugins import Minimal

DEEP = b"[" * 200_000
PAGES: list[tuple[str, bytes]] = (
    [
        ("/api/v2/resources", page)
        for page in (
            b"",
            b"[]",
            b"null",
            b'{"data":[1],"meta":{"totalPages":1}}',
            b'{"data":{"a":1},"meta":{"totalPages":1}}',
            b'{"data":[{"id":"x","status":5}],"meta":{"totalPages":1}}',
            b'{"data":[{"id":"x","sources":"truenas"}],"meta":{"totalPages":1}}',
            b'{"data":[{"id":"x","identity":7}],"meta":{"totalPages":1}}',
            b'{"data":[{"id":["x"]}],"meta":{"totalPages":1}}',
            b'{"data":[{"id":"x","name":"\\ud800"}],"meta":{"totalPages":1}}',
            b'{"data":[],"meta":{"totalPages":"many"}}',
            b'{"data":[],"meta":{"totalPages":1e9}}',
            b"\xff\xfe\xfd",
            DEEP,
        )
    ]
    + [
        ("/api/truenas/connections", page)
        for page in (
            b"{}",
            b"[1]",
            b'[{"id":"nas-1","poll":NaN}]',
            b'[{"id":1},{"id":"x"}]',
            b'[{"id":"\\udfff"}]',
            DEEP,
        )
    ]
    + [
        ("/api/alerts/active", page)
        for page in (b"{}", b"[1]", b'[{"id":"x","rule":5}]', b'[{"id":1}]', b'[{"id":"x","sourceId":"\\udfff"}]', DEEP)
    ]
)


class Strange(Minimal):
    """Shows one page of its own choosing."""

    def __init__(self, place: Place, path: str, page: bytes) -> None:
        super().__init__(place)
        self._path, self._page = path, page

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        if method == "GET" and path.partition("?")[0] == self._path:
            return Answer(200, self._page)
        return await super().request(method, path, json)


@pytest.mark.parametrize(("path", "page"), PAGES, ids=lambda value: str(value[:60]))
def test_no_page_of_a_system_breaks_the_run_or_its_log(tmp_path: Path, path: str, page: bytes) -> None:
    done = rehearse(tmp_path, scenario(connections={}), factory=lambda place: Strange(place, path, page))
    assert done.broken == ()
    kind = next(kind for kind in ("resources", "connections", "alerts") if kind in path)
    looks = done.of(f"sampler/{kind}")
    assert {(look.data["status"], look.data["error"] is None) for look in looks} == {(None, False)}
    assert all(not look.data["changed"] for look in looks)


@pytest.mark.parametrize(
    "page",
    [
        b"\xff\n",
        b"no_value\n",
        b"up x\n",
        b'pulse_monitor_poll_last_success_timestamp{instance="nas-1"} x\n',
        b"up 1\r\n",
    ],
)
def test_no_metrics_page_of_a_system_breaks_the_run(tmp_path: Path, page: bytes) -> None:
    class StrangeMetrics(Minimal):
        async def scrape(self) -> Answer:
            return Answer(200, page)

    done = rehearse(tmp_path, scenario(), factory=StrangeMetrics)
    assert done.broken == ()
    assert len(done.log.scrapes("pulse")) == 15


def test_a_value_that_is_no_number_is_no_success(tmp_path: Path) -> None:
    class Boastful(Minimal):
        async def scrape(self) -> Answer:
            series = 'pulse_monitor_poll_last_success_timestamp{instance="nas-1",instance_type="truenas"}'
            return Answer(200, f"{series} soon\n".encode())

    done = rehearse(tmp_path, scenario(), factory=Boastful)
    assert ([record.data["phase"] for record in done.of("world/phase")], done.broken) == (["warm-up"], ())


def test_success_is_seen_whatever_the_order_of_the_labels(tmp_path: Path) -> None:
    class OtherOrder(Minimal):
        async def scrape(self) -> Answer:
            series = 'pulse_monitor_poll_last_success_timestamp{instance_type="truenas",instance="nas-1"}'
            return Answer(200, f"{series} 1.77e+09\n".encode())

    done = rehearse(tmp_path, scenario(), factory=OtherOrder)
    assert [record.data["phase"] for record in done.of("world/phase")] == ["warm-up", "steady"]


@pytest.mark.parametrize("failure", [SystemFailure("lost"), ConnectionResetError(), TimeoutError()])
def test_a_look_that_is_not_answered_is_a_failed_look(tmp_path: Path, failure: Exception) -> None:
    class Silent(Minimal):
        async def scrape(self) -> Answer:
            raise failure

    done = rehearse(tmp_path, scenario(), factory=Silent)
    assert done.broken == ()
    assert {record.data["error"] for record in done.of("sampler/metrics")} == {type(failure).__name__}
    assert done.outcome_of("never_crashes") is Outcome.FAILED


def test_the_log_of_a_run_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    class BreaksAtOnce(Minimal):
        async def request(self, method: str, path: str, json: Any = None) -> Answer:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        rehearse(tmp_path, factory=BreaksAtOnce)
    with pytest.raises(LogDamaged):
        RunLog.load(tmp_path)
