"""Overlays hide what is, and give it back exactly; whoever watches hears of both."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.appliance.changes import Change
from mock_truenas.appliance.model import State
from tests.mock_truenas.nases import DAY, HOUR, aged


def degraded(state: State) -> State:
    pool = replace(state.pools["tank"], status="DEGRADED", status_code="MISSING_DEV_R")
    return replace(state, pools={**state.pools, "tank": pool})


def without_pools(state: State) -> State:
    return replace(state, pools={}, datasets={})


def test_lifting_shows_exactly_what_was_there() -> None:
    nas = aged("homelab").nas
    before = nas.state
    nas.overlay("f", degraded)
    assert nas.state.pools["tank"].status == "DEGRADED"
    nas.lift("f")
    assert nas.state == before


@given(st.permutations(["a", "b", "c"]))
def test_overlays_are_lifted_in_any_order(order: list[str]) -> None:
    nas = aged().nas
    before = nas.state
    nas.overlay("a", degraded)
    nas.overlay("b", without_pools)
    nas.overlay("c", lambda state: replace(state, host=replace(state.host, hostname="other")))
    for fault in order:
        assert nas.state != before
        nas.lift(fault)
    assert nas.state == before


def test_evolution_and_changes_go_on_below() -> None:
    hidden, plain = aged("homelab"), aged("homelab")
    hidden.nas.overlay("f", lambda state: replace(state, datasets={}))
    for home in (hidden, plain):
        home.wait(5 * HOUR)
        home.nas.change_disk("sda", temperature=50)
        home.wait(HOUR)
    hidden.nas.lift("f")
    assert hidden.nas.state.datasets == plain.nas.state.datasets
    assert hidden.nas.state.snapshots == plain.nas.state.snapshots
    assert hidden.nas.state.disks["sda"].temperature == 50


def test_an_alert_an_overlay_causes_lasts_as_long_as_the_overlay() -> None:
    home = aged()
    home.nas.overlay("f", degraded)
    assert home.classes() == ["VolumeStatus"]
    home.nas.lift("f")
    assert home.classes() == []


def test_an_alert_an_overlay_hides_comes_back_as_the_same_dismissed_or_not() -> None:
    home = aged()
    home.nas.fail_disk("sda")
    (alert,) = home.nas.state.alerts.values()
    home.nas.dismiss_alert(alert.uuid, dismissed=True)
    home.nas.overlay("f", without_pools)
    assert home.classes() == []
    home.wait(HOUR)
    home.nas.lift("f")
    assert list(home.nas.state.alerts.values()) == [replace(alert, dismissed=True)]


def test_every_change_of_what_is_seen_is_told_and_moves_the_revision() -> None:
    nas = aged().nas
    told: list[Change] = []
    nas.watch(told.append)
    before = nas.revision
    nas.overlay("f", degraded)
    nas.lift("f")
    nas.lift("f")
    assert nas.revision == before + 2
    names = [(change.collection, change.msg) for change in told]
    assert names == [
        ("pool.query", "changed"),
        ("alert.list", "added"),
        ("pool.query", "changed"),
        ("alert.list", "removed"),
    ]


def test_a_reset_forgets_overlays_rows_and_what_has_passed() -> None:
    home = aged()
    before = home.nas.state
    home.nas.overlay("f", without_pools)
    home.nas.insert_row("sharing.smb", {"name": "x"})
    home.wait(DAY)
    told: list[Change] = []
    home.nas.watch(told.append)
    home.nas.reset()
    assert Change("sharing.smb.query", "removed", 2) in told
    assert home.nas.state.pools == before.pools
    assert home.nas.state.tables == before.tables


def test_rows_are_inserted_changed_and_deleted_with_one_event_each() -> None:
    nas = aged().nas
    told: list[Change] = []
    nas.watch(told.append)
    row = nas.insert_row("sharing.nfs", {"path": "/mnt/tank"})
    assert (row["id"], nas.insert_row("app", {"state": "RUNNING"}, key="x")["id"]) == (1, "x")
    nas.change_row("sharing.nfs", 1, enabled=False)
    assert nas.state.tables["sharing.nfs"][1] == {"id": 1, "path": "/mnt/tank", "enabled": False}
    nas.delete_row("sharing.nfs", 1)
    assert nas.state.tables["sharing.nfs"] == {}
    assert told == [
        Change("sharing.nfs.query", "added", 1),
        Change("app.query", "added", "x"),
        Change("sharing.nfs.query", "changed", 1),
        Change("sharing.nfs.query", "removed", 1),
    ]
