"""Alerts of a whole stack: on its own grid, over the API, to the webhook (contract A9, A10)."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pulse_sim.kernel.certificate import self_signed, server_context
from pulse_sim.stack.settings import SettingsInvalid, read_settings
from tests.stack.stackbed import Bed

HOOK = "http://hook:9000/in/SECRETPATH"


class Receiver:
    """A receiver of notifications on a host of its own."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.host = bed.sim.host("hook")
        self.received: list[tuple[float, Any]] = []
        self.status = 204
        self.delay_s = 0.0

    async def take(self, request: web.Request) -> web.Response:
        self.received.append((self.bed.sim.now_ns / 1e9, await request.json()))
        await asyncio.sleep(self.delay_s)
        return web.Response(status=self.status, headers={"Location": "http://hook:9000/elsewhere"})

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self.take)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)

        async def open_() -> None:
            await runner.setup()
            await web.TCPSite(runner, self.host.address, 9000, ssl_context=tls).start()

        await self.host.run(open_(), name="open hook")
        try:
            yield
        finally:
            await self.host.run(runner.cleanup(), name="close hook")


def test_an_auth_alert_is_shown_acknowledged_kept_and_resolved() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        await bed.wait(100)
        assert await bed.api("GET", "/api/alerts/active") == (200, [])
        bed.inject("auth.revoke_key")
        await bed.wait(75)
        status, active = await bed.api("GET", "/api/alerts/active")
        assert (status, [(alert["rule"], alert["state"], alert["sourceId"]) for alert in active]) == (
            200,
            [("auth", "active", "system:nas-1")],
        )
        path = f"/api/alerts/{active[0]['id']}/acknowledge"
        status, noted = await bed.api("POST", path, {"by": "ann"})
        assert (status, noted["state"], noted["acknowledgedBy"]) == (200, "acknowledged", "ann")
        await bed.stop()
        bed.heal("auth.revoke_key")
        await bed.start()
        await bed.wait(60)
        assert [alert["acknowledgedBy"] for alert in (await bed.api("GET", "/api/alerts/active"))[1]] == ["ann"]
        await bed.wait(300)
        assert (await bed.api("GET", "/api/alerts/active"))[1] == []
        _, past = await bed.api("GET", "/api/alerts/history?limit=1")
        assert [(alert["id"], alert["state"]) for alert in past] == [(active[0]["id"], "resolved")]
        assert (await bed.api("POST", path))[0] == 404

    Bed().run(story)


def test_rules_are_changed_over_the_api_or_refused_by_path() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        _, told = await bed.api("GET", "/api/alerts/config")
        assert (await bed.api("PUT", "/api/alerts/config", told)) == (200, told)
        status, answer = await bed.api("PUT", "/api/alerts/config", {"rules": {"stale": {"threshold": "x"}}})
        assert (status, answer["code"], list(answer["details"])) == (400, "validation_error", ["rules.stale.threshold"])
        status, changed = await bed.api("PUT", "/api/alerts/config", {"rules": {"stale": {"threshold": 30}}})
        assert (status, changed["rules"]["stale"]["threshold"]) == (200, 30)
        assert (await bed.api("GET", "/api/alerts/config", token=None))[0] == 401

    Bed().run(story)


@pytest.mark.parametrize("by", ["", " ", 1, None, "a\nb"])
def test_who_takes_note_has_a_printable_name(by: Any) -> None:
    async def story(bed: Bed) -> int:
        await bed.start()
        return (await bed.api("POST", "/api/alerts/x/acknowledge", {"by": by}))[0]

    assert Bed().run(story) == 400


def test_a_stack_with_the_flag_off_ends_what_it_no_longer_monitors() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add()
        bed.inject("auth.revoke_key")
        await bed.wait(90)
        await bed.stop()
        await bed.start(PULSE_ENABLE_TRUENAS="false")
        await bed.wait(16)
        assert (await bed.api("GET", "/api/alerts/active"))[1] == []
        assert (await bed.api("GET", "/api/alerts/history"))[1][0]["resolution"] == "no longer monitored"

    Bed().run(story)


def test_the_webhook_hears_of_an_auth_alert_at_once_and_of_its_end_without_a_secret() -> None:
    bed = Bed()
    receiver = Receiver(bed)

    async def story(bed: Bed) -> None:
        async with receiver.listening():
            await bed.start(PULSE_ALERT_WEBHOOK=HOOK)
            await bed.add()
            await bed.wait(100)
            bed.inject("auth.revoke_key")
            await bed.wait(75)
            raised = [line for line in bed.logs.texts() if "alert auth raised" in line]
            assert len(raised) == len(receiver.received) == 1
            bed.heal("auth.revoke_key")
            await bed.wait(400)

    bed.run(story)
    assert [(told["event"], told["alert"]["rule"]) for _, told in receiver.received] == [
        ("raised", "auth"),
        ("resolved", "auth"),
    ]
    assert "PSIMSECRET" not in json.dumps([told for _, told in receiver.received])


@pytest.mark.parametrize("trouble", ["gone", "slow", "refuses", "redirects"])
def test_a_webhook_that_fails_is_logged_once_and_holds_up_nothing(trouble: str) -> None:
    bed = Bed()
    receiver = Receiver(bed)
    receiver.status = {"refuses": 500, "redirects": 302}.get(trouble, 204)
    receiver.delay_s = 60.0 if trouble == "slow" else 0.0

    async def story(bed: Bed) -> None:
        await bed.start(PULSE_ALERT_WEBHOOK=HOOK)
        await bed.add()
        for _ in range(2):
            bed.inject("auth.revoke_key")
            await bed.wait(90)
            bed.heal("auth.revoke_key")
            await bed.wait(420)
        assert await bed.source_statuses() == {"online"}
        assert (await bed.metrics())["pulse_runtime_timers"] < 10

    async def whole(bed: Bed) -> None:
        if trouble == "gone":
            await story(bed)
        else:
            async with receiver.listening():
                await story(bed)

    bed.run(whole)
    assert len([line for line in bed.logs.texts() if "alert webhook fails" in line]) == 1
    assert not [line for line in bed.logs.texts() if "SECRETPATH" in line]
    assert len(receiver.received) == (0 if trouble == "gone" else 4)  # a redirect is not followed


@pytest.mark.parametrize(
    "url", ["hook", "ftp://hook/", "http://", "http://h:99999/", "http://h:0/", "http://h/a b", "//h/"]
)
def test_a_webhook_that_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="PULSE_ALERT_WEBHOOK") as refused:
        read_settings({"PULSE_ALERT_WEBHOOK": url}, "truenas-off-by-default")
    assert url not in str(refused.value)


def test_the_address_of_the_webhook_is_not_in_the_repr() -> None:
    settings = read_settings({"PULSE_ALERT_WEBHOOK": HOOK}, "truenas-off-by-default")
    assert settings.alert_webhook == HOOK
    assert "SECRETPATH" not in repr(settings)


TRUST = {"its own authority": 1, "no known authority": 0, "another name": 0}


@pytest.mark.parametrize("case", TRUST)
def test_a_webhook_over_https_is_told_only_where_its_certificate_can_be_trusted(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Bed()
    receiver = Receiver(bed)
    certificate, key = self_signed(bed.sim.entropy("tls hook"), ["else" if case == "another name" else "hook"])
    if case != "no known authority":  # what OpenSSL trusts besides the machine's own authorities
        trusted = tmp_path / "trusted.pem"
        trusted.write_bytes(certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    async def story(bed: Bed) -> None:
        async with receiver.listening(server_context(certificate, key)):
            await bed.start(PULSE_ALERT_WEBHOOK=HOOK.replace("http:", "https:"))
            await bed.add()
            await bed.wait(60)
            bed.inject("auth.revoke_key")
            await bed.wait(90)

    bed.run(story)
    assert len(receiver.received) == TRUST[case]
    failed = [line for line in bed.logs.texts() if "alert webhook fails" in line]
    told = [] if TRUST[case] else ["alert webhook fails: ClientConnectorCertificateError"]
    assert failed == told
    assert not [line for line in bed.logs.texts() if "SECRETPATH" in line]
