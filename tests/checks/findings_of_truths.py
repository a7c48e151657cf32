"""shows_truth: what it says of small logs, and at which records it points."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import Row, Said, poll_total
from tests.checks.test_truth_check import PARTS, POOL, SPACE, degraded, facts, log_of, outage, shown

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: log_of(*[shown()] * 10),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "7 samples true, 3 more excused in part, 1 truth",
            "truth nas-1 0s, resources pulse 1ns 9m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "after_heal": "5m", "between": ["3m", "9m"]},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s and, once healed, "
            "5m between 3m and 9m",
            "6 samples true, 1 truth",
            "truth nas-1 0s, resources pulse 3m1ns 8m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 5, shown(pool=None), *[shown()] * 4),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "system:nas-1/pool:tank is not shown at 5m",
            "truth nas-1 0s, resources pulse 5m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 5, shown(host={"name": "nas-ä"}), *[shown()] * 4),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            'system:nas-1 shows name "nas-\\u00e4", not "nas-1" at 5m',
            "truth nas-1 0s, resources pulse 5m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 5, shown(host={"name": "n" * 80}), *[shown()] * 4),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            'system:nas-1 shows name "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, not "nas-1" at 5m',
            "truth nas-1 0s, resources pulse 5m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 5, shown("stale"), *[shown()] * 4),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "system:nas-1 is stale, and its appliance can be reached at 5m",
            "truth nas-1 0s, resources pulse 5m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown() if minute <= 7 else degraded() for minute in range(12)]).truth(
            4 * MINUTE, **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}}
        ),
        "12m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            'system:nas-1 shows status "online", not "warning" at 7m',
            "truth nas-1 4m, resources pulse 7m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown() if minute <= 6 else degraded() for minute in range(12)]).truth(
            4 * MINUTE, **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}}
        ),
        "12m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "9 samples true, 3 more excused in part, 2 truths",
            "truth nas-1 0s, resources pulse 1ns, truth nas-1 4m, resources pulse 11m1ns",
        ),
    ),
    Row(
        lambda: outage(),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "9 samples true, 11 more excused in part, 1 truth",
            "truth nas-1 0s, resources pulse 1ns 19m1ns",
        ),
    ),
    Row(
        lambda: outage(back=14),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "system:nas-1 is stale, and its appliance can be reached at 13m",
            "truth nas-1 0s, resources pulse 13m1ns",
        ),
    ),
    Row(
        lambda: outage(stale=shown("stale", pool=facts(POOL, disk={**SPACE, "usedBytes": 1}))),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "system:nas-1/pool:tank shows usedBytes 1, not 400 at 7m",
            "truth nas-1 0s, resources pulse 7m1ns",
        ),
    ),
    Row(
        lambda: outage(stale=shown("stale", disk=None)),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            FAILED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "system:nas-1/disk:sda is not shown at 7m",
            "truth nas-1 0s, resources pulse 7m1ns",
        ),
    ),
    Row(
        lambda: outage().truth("6m", **{**PARTS, "pools": {"tank": {"status": "DEGRADED"}}}).truth("9m", **PARTS),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "9 samples true, 11 more excused in part, 3 truths",
            "truth nas-1 0s, resources pulse 1ns, truth nas-1 6m 9m, resources pulse 19m1ns",
        ),
    ),
    Row(
        lambda: outage(back=18).truth("3m", **PARTS),
        "20m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "after_heal": "8m"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s and, once healed, 8m",
            "4 samples true, 16 more excused in part, 2 truths",
            "truth nas-1 0s, resources pulse 1ns, truth nas-1 3m, resources pulse 19m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10, truth=False),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no truth of nas-1 is on record",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10, truth=False).truth("9m", **PARTS),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no truth of nas-1 up to 0s",
            "resources pulse 1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10, warm=False),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no poll of nas-1 ever succeeded",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10, warm=False).scrape(
            "17s", {poll_total("success", "nas-2"): 1, poll_total("error"): 3}
        ),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no poll of nas-1 ever succeeded",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 5),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no sample of the resources of pulse between 4m1ns and 10m",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 3),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "between": ["3m", "6m"]},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s between 3m and 6m",
            "no sample of the resources of pulse while nas-1 was configured",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 3),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "between": ["3m", "7m"]},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s between 3m and 7m",
            "no sample of the resources of pulse between 3m and 7m",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "between": ["1m", "11m"]},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s between 1m and 11m",
            "the run ended at 10m, before the window did",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10).action("1m", "update_connection", id="nas-1", appliance="nas-2"),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "nas-1 led to several appliances: nas-1, nas-2",
            "",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10).action("1m", "update_connection", id="nas-2", appliance="nas-2"),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "7 samples true, 3 more excused in part, 1 truth",
            "truth nas-1 0s, resources pulse 1ns 9m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 10).action("1m", "update_connection", id="nas-1", appliance=None),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            PASSED,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "7 samples true, 3 more excused in part, 1 truth",
            "truth nas-1 0s, resources pulse 1ns 9m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown(host={"facts": {}})] * 10),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no sample tells hostname of system:nas-1",
            "resources pulse 3m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown(host={"alerts": None})] * 10),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s"},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s",
            "no sample tells the alerts of system:nas-1",
            "resources pulse 3m1ns",
        ),
    ),
    Row(
        lambda: log_of(*[shown()] * 3),
        "10m",
        "shows_truth",
        {"connection": "nas-1", "lag": "2m30s", "between": ["0s", "2m"]},
        Said(
            INCONCLUSIVE,
            "everything shown of the appliance of nas-1 is what it was within the last 2m30s between 0s and 2m",
            "every sample of system:nas-1 was excused",
            "",
        ),
    ),
)
