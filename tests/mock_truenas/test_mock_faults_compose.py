"""Faults that overlap act in the fixed order, name only those that shaped the answer, and heal without a trace."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS
from tests.mock_truenas.faults.minimal import MINIMAL
from tests.mock_truenas.wire import API, serving, serving_tls

INFO = f"{API}/system/info"


@pytest.mark.asyncio
async def test_delay_comes_before_status_whatever_the_order_of_injection() -> None:
    async with serving() as served:
        served.inject("gateway", "http.status", status=504)
        served.inject("slow", "http.delay", delay="20ms")
        reply = await served.ask(INFO)
        entry = await served.journal.next()
        assert reply.status == 504
        assert entry.faults == ("slow", "gateway")
        assert entry.duration_ns >= 20_000_000


@pytest.mark.asyncio
async def test_two_delays_add_up() -> None:
    async with serving() as served:
        served.inject("one", "http.delay", delay="15ms")
        served.inject("two", "http.delay", delay="15ms")
        await served.ask(INFO)
        entry = await served.journal.next()
        assert entry.faults == ("one", "two")
        assert entry.duration_ns >= 30_000_000


@pytest.mark.asyncio
async def test_of_two_statuses_the_later_is_answered_and_healing_it_shows_the_earlier() -> None:
    async with serving() as served:
        served.inject("one", "http.status", status=502)
        served.inject("two", "http.status", status=503)
        assert (await served.ask(INFO)).status == 503
        assert (await served.journal.next()).faults == ("two",)
        served.nas.heal("two")
        assert (await served.ask(INFO)).status == 502
        assert (await served.journal.next()).faults == ("one",)


@pytest.mark.asyncio
async def test_status_answers_without_asking_the_api_so_a_revoked_key_does_not_show() -> None:
    async with serving() as served:
        served.inject("revoked", "auth.revoke_key")
        served.inject("down", "http.status", status=502)
        assert (await served.ask(INFO)).status == 502
        assert (await served.journal.next()).faults == ("down",)


@pytest.mark.asyncio
async def test_malformed_body_breaks_the_page_of_a_status_too() -> None:
    async with serving() as served:
        whole_page = 150
        served.inject("broken", "http.malformed_body")
        served.inject("down", "http.status", status=502)
        reply = await served.ask(INFO)
        assert reply.status == 502
        assert len(reply.body) > whole_page
        assert (await served.journal.next()).faults == ("down", "broken")


@pytest.mark.parametrize(
    ("keep", "after", "ending", "by", "sent"),
    [(10, 20, "cut", "cut", 10), (20, 10, "reset", "reset", 10), (10, 10, "cut", "cut", 10)],
)
@pytest.mark.asyncio
async def test_of_a_cut_and_a_reset_the_one_that_comes_first_in_the_bytes_ends_the_answer(
    keep: int, after: int, ending: str, by: str, sent: int
) -> None:
    async with serving() as served:
        served.inject("reset", "http.reset", after_bytes=after)
        served.inject("cut", "http.truncate_body", keep_bytes=keep)
        reply = await served.ask(INFO)
        entry = await served.journal.next()
        assert (entry.ended, entry.faults, entry.bytes, len(reply.body)) == (ending, (by,), sent, sent)


@pytest.mark.asyncio
async def test_key_revoked_twice_is_valid_only_after_both_have_healed() -> None:
    async with serving() as served:
        served.inject("one", "auth.revoke_key")
        served.inject("two", "auth.revoke_key")
        assert (await served.ask(INFO)).status == 401
        assert (await served.journal.next()).faults == ("one", "two")
        served.nas.heal("one")
        assert (await served.ask(INFO)).status == 401
        assert (await served.journal.next()).faults == ("two",)
        served.nas.heal("two")
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_healing_does_not_restore_what_an_operator_revoked() -> None:
    async with serving() as served:
        served.nas.appliance.revoke("pulse")
        served.inject("one", "auth.revoke_key")
        served.nas.heal("one")
        assert (await served.ask(INFO)).status == 401
        served.nas.appliance.restore("pulse")
        assert (await served.ask(INFO)).status == 200


@pytest.mark.asyncio
async def test_only_requests_in_scope_meet_a_fault() -> None:
    async with serving() as served:
        served.inject("f", "http.status", status=500, path="/disk/*", method="POST", first=1)
        body = b'{"names": []}'
        targets = [("GET", "/disk", b""), ("POST", "/disk/temperatures/", body), ("POST", "/disk/temperatures", body)]
        statuses = [(await served.ask(API + path, method, body=sent)).status for method, path, sent in targets]
        assert statuses == [200, 500, 200]


@pytest.mark.asyncio
async def test_web_interface_is_not_touched_by_faults_of_the_api() -> None:
    async with serving() as served:
        served.inject("f", "http.status", status=502)
        assert (await served.ask("/ui/")).status == 200
        assert (await served.journal.next()).faults == ()


_HEALABLE = [kind.name for kind in FAULT_KINDS.values() if not kind.lasting]
_STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from([*_HEALABLE, *["heal"] * 12])), max_size=20
)
_TARGETS = [f"{API}{path}" for path in ("/pool", "/system/info", "/alert/list", "/disk", "/pool/dataset", "/service")]


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_after_any_injections_and_heals_healing_all_restores_exactly(steps: list[tuple[str, str]]) -> None:
    async def rehearse() -> None:
        async with serving_tls("small-office") as served:
            before = [await served.ask(target) for target in _TARGETS]
            active: set[str] = set()
            for fault_id, step in steps:
                if step == "heal":
                    served.nas.heal(fault_id)
                    active.discard(fault_id)
                elif fault_id not in active:
                    served.inject(fault_id, step, **MINIMAL.get(step, {}))
                    active.add(fault_id)
            for fault_id in ("a", "b", "c", "d"):
                served.nas.heal(fault_id)
            await served.nas.settled()
            assert [await served.ask(target) for target in _TARGETS] == before
            assert [entry.faults for entry in served.journal.entries[-len(_TARGETS) :]] == [()] * len(_TARGETS)

    asyncio.run(rehearse())
