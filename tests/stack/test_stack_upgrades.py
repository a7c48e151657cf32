"""An appliance that changes its release is spoken to as its release wants, soon and without a storm (contract A2)."""

from typing import Any

import pytest

from tests.stack.stackbed import Bed

LOGINS = ("auth.login_with_api_key", "auth.login_ex")


def bed_of(release: str) -> Bed:
    return Bed(tls=True, release=release)


def faces(bed: Bed, since: int) -> set[str]:
    """Faces that were asked for pools."""
    return {str(entry["face"]) for entry in bed.journals["nas-1"][since:] if entry["call"] == "pool.query"}


def logins(bed: Bed) -> int:
    return sum(entry.get("call") in LOGINS for entry in bed.journals["nas-1"])


@pytest.mark.parametrize("away_s", [5, 70, 600], ids=["between two polls", "over a poll", "for ten minutes"])
@pytest.mark.parametrize(
    ("before", "after", "face"),
    [("24.10", "25.04", "rpc"), ("24.10", "25.10", "rpc"), ("24.10", "26.0", "rpc"), ("25.10", "24.10", "rest")],
)
def test_the_transport_follows_the_release(before: str, after: str, face: str, away_s: float) -> None:
    async def story(bed: Bed) -> tuple[float, int]:
        await bed.start()
        await bed.add(insecureSkipVerify=True)
        await bed.wait(90)
        await bed.change_release(after, away_s)
        await bed.wait(400)  # the longest an open breaker waits, and a poll
        settled = len(bed.journals["nas-1"])
        await bed.wait(180)
        assert await bed.source_statuses() == {"online"}
        return await bed.metric("monitor_poll_consecutive_failures"), settled

    bed = bed_of(before)
    failures, settled = bed.run(story)
    assert failures == 0
    assert faces(bed, settled) == {face}
    assert logins(bed) <= 3
    assert not bed.sim.unhandled


def test_an_upgrade_no_poll_noticed_is_seen_by_the_version_and_fails_no_poll() -> None:
    async def story(bed: Bed) -> dict[str, float]:
        await bed.start()
        await bed.add(insecureSkipVerify=True)
        await bed.wait(90)
        await bed.change_release("25.10", 1)
        await bed.wait(130)
        return await bed.errors()

    bed = bed_of("24.10")
    assert bed.run(story) == {}
    assert bed.journals["nas-1"][-1]["face"] == "rpc"
    assert logins(bed) == 1


def handshakes(bed: Bed) -> list[Any]:
    return [entry for entry in bed.journals["nas-1"] if entry["path"] == "/api/current"]


def test_a_connection_lost_again_and_again_costs_an_old_release_one_handshake_for_each_time() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add(insecureSkipVerify=True)
        await bed.wait(90)
        for _ in range(5):
            bed.inject("http.reset", path="/pool", first=1)
            await bed.wait(60)
            bed.heal("http.reset")
        await bed.wait(120)
        assert await bed.errors() == {}

    bed = bed_of("24.10")
    bed.run(story)
    assert 2 <= len(handshakes(bed)) <= 6
    assert logins(bed) == 0


def test_an_old_release_that_stays_what_it_is_is_asked_for_a_web_socket_once() -> None:
    async def story(bed: Bed) -> None:
        await bed.start()
        await bed.add(insecureSkipVerify=True)
        await bed.wait(3600)

    bed = bed_of("24.10")
    bed.run(story)
    assert len(handshakes(bed)) == 1
