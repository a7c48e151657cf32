"""Contract A5 at its full size: 500 connections, some of them hanging, and none blocks another."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from pulse_sim.stack.assembly import Stack
from tests.stack.fleet_sweep import Seen, configure, fleet, ids, record, wired
from tests.stack.stackbed import Bed

SOUND = [each for each in ids(500, 25) if each.startswith("sound")]


def test_every_tenth_is_told_apart() -> None:
    assert sum(each.startswith("hanging") for each in ids(500, 25)) == 25
    assert len(set(ids(500, 25))) == 500


def test_five_hundred_connections_are_polled_every_minute_while_one_in_twenty_hangs() -> None:
    seen = fleet(500, 25, 1800)
    assert max(seen.longest_gap_s(each) for each in SOUND) <= 65
    assert not [each for each in seen.polled if each.startswith("hanging")]
    assert len({tasks for tasks, _, _ in seen.counts}) == 1
    assert (seen.stopped_in_s, seen.clients) == (0, 0)


def test_twenty_polls_at_once_are_enough_when_five_in_twenty_hang() -> None:
    seen = fleet(100, 25, 1200, environ={"PULSE_TRUENAS_CONCURRENT_POLLS": "20"})
    sound = [each for each in ids(100, 25) if each.startswith("sound")]
    # When all start together and nobody knows yet who hangs, those who come late wait for one deadline.
    later = [gap for each in sound for gap in _gaps(seen, each)[2:]]
    assert max(later) <= 65
    assert max(seen.longest_gap_s(each) for each in sound) <= 65 + 60
    assert 20 <= seen.most_at_once <= 40


def _gaps(seen: Seen, connection_id: str) -> list[float]:
    times = [seen.started_s, *seen.polled[connection_id], seen.ended_s]
    return [after - before for before, after in pairwise(times)]


def test_without_hanging_ones_the_bound_is_kept_and_everybody_has_a_turn() -> None:
    seen = fleet(100, 0, 180, environ={"PULSE_TRUENAS_CONCURRENT_POLLS": "3"})
    assert seen.most_at_once == 3
    assert {len(times) for times in seen.polled.values()} == {3}


@pytest.mark.parametrize(("tls", "release"), [(False, "24.10"), (True, "25.10")])
def test_over_the_network_nobody_waits_for_the_ones_that_hang(tls: bool, release: str) -> None:
    seen = wired(200, 10, 130, tls=tls, release=release)
    assert max(seen.longest_gap_s(each) for each in ids(200, 10) if each.startswith("sound")) <= 65
    assert not [each for each in seen.polled if each.startswith("hanging")]
    assert seen.stopped_in_s <= 5


def test_stopping_takes_five_seconds_at_most_when_no_appliance_says_farewell() -> None:
    seen = wired(200, 10, 70, tls=True, release="25.10", all_asleep_at_end=True)
    assert seen.counts[-1][2] >= 190  # sessions that are open, each with a close frame to wait for
    assert seen.stopped_in_s <= 5


def test_a_change_of_all_five_hundred_connections_and_the_kill_switch_take_a_minute_at_most() -> None:
    async def meanwhile(bed: Bed, stack: Stack, seen: Seen) -> None:
        every = ids(500, 25)
        configure(bed, [record(each, each, apiKey="2-PSIMSECRET") for each in every])
        await asyncio.sleep(61)
        assert {polled.connection.api_key for polled in stack._poller.running()} == {"2-PSIMSECRET"}
        assert seen.clients == 500
        configure(bed, [])
        await asyncio.sleep(61)
        assert list(stack._poller.running()) == []
        assert (seen.clients, seen.at_once) == (0, 0)

    fleet(500, 25, 90, meanwhile=meanwhile)


class Mute(asyncio.Protocol):
    """Accepts, reads and never says a word; no task of its own."""


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_that_hangs_never_has_more_than_four_tasks(tls: bool) -> None:
    async def story(bed: Bed) -> tuple[int, Any]:
        loop = asyncio.get_running_loop()
        await bed.hosts["nas-1"].run(loop.create_server(Mute, bed.hosts["nas-1"].address, 4444))
        await bed.start()
        await bed.wait(1)
        before = len(asyncio.all_tasks())
        configure(bed, [record("nas-1", "nas-1", port=4444, useHttps=tls)])
        most = 0
        for _ in range(2400):
            await bed.wait(0.1)
            most = max(most, len(asyncio.all_tasks()) - before)
        return most, await bed.errors()

    most, errors = Bed().run(story)
    assert 1 <= most <= 4
    assert set(errors) == {"timeout"}
