"""Rules and overrides are an organisation's own (contract A1, A9), and outlive a restart as such."""

import json
from typing import Any

from pulse_sim.stack.alerts.config import AS_DELIVERED
from tests.stack.stackbed import Bed

CONFIG = "/api/alerts/config"
QUIET = {"rules": {"poll-failing": {"enabled": False}, "connection": {"enabled": False}}}
ACME = {"X-Pulse-Org-ID": "acme"}


async def set_up(bed: Bed) -> None:
    await bed.start(PULSE_MULTI_TENANT_ENABLED="true")
    for name, headers in (("nas-1", {}), ("nas-2", ACME)):
        assert (await bed.api("POST", "/api/truenas/connections", bed.record(name), **headers))[0] == 201
    await bed.wait(70)


async def rules(bed: Bed, **headers: str) -> set[str]:
    return {alert["rule"] for alert in (await bed.api("GET", "/api/alerts/active", **headers))[1]}


def test_one_organisations_rules_silence_no_other_also_after_a_restart() -> None:
    async def story(bed: Bed) -> None:
        await set_up(bed)
        status, told = await bed.api("PUT", CONFIG, QUIET, **ACME)
        assert (status, told["rules"]["connection"]["enabled"]) == (200, False)
        assert (await bed.api("GET", CONFIG))[1] == AS_DELIVERED.to_data()
        await bed.stop()
        await bed.start(PULSE_MULTI_TENANT_ENABLED="true")
        assert (await bed.api("GET", CONFIG, **ACME))[1] == told
        assert (await bed.api("GET", CONFIG))[1] == AS_DELIVERED.to_data()
        for name in ("nas-1", "nas-2"):
            bed.inject("appliance.down", name)
        await bed.wait(250)
        assert "connection" in await rules(bed)
        assert "connection" not in await rules(bed, **ACME)

    Bed("nas-1", "nas-2").run(story)


def test_with_organisations_off_anothers_rules_are_not_there_and_are_kept() -> None:
    async def story(bed: Bed) -> tuple[Any, Any]:
        await set_up(bed)
        assert (await bed.api("PUT", CONFIG, QUIET, **ACME))[0] == 200
        await bed.stop()
        await bed.start()
        for method, body in (("GET", None), ("PUT", {})):
            status, answer = await bed.api(method, CONFIG, body, **ACME)
            assert (status, answer["code"]) == (501, "multi_tenant_disabled")
        own = {"rules": {"slow": {"enabled": False}}}
        assert (await bed.api("PUT", CONFIG, own))[0] == 200
        await bed.stop()
        kept = json.loads(bed.disk.read("/data/alerts.json"))
        return kept["config"]["rules"]["slow"]["enabled"], kept["orgs"]["acme"]["rules"]["connection"]["enabled"]

    assert Bed("nas-1", "nas-2").run(story) == (False, False)
