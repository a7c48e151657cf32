"""The page on determinism names what the code's tables hold."""

import re
from pathlib import Path

from pulse_sim.kernel.toxics import EFFECTS
from pulse_sim.kernel.trace import EVENT_KINDS
from pulse_sim.kernel.ways_out import Area

PAGE = (Path(__file__).parents[2] / "docs" / "determinism.md").read_text("utf-8")


def test_every_kind_of_event_stands_in_the_table_of_events_and_no_other() -> None:
    table = PAGE.partition("## An event")[2].partition("\n## ")[0]
    named = {
        kind
        for row in table.splitlines()
        if row.startswith("| `")
        for kind in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert named == {*EVENT_KINDS, "source/kind"}


def test_every_area_of_the_fences_and_every_toxic_is_named() -> None:
    fences = PAGE.partition("## Fences")[2].partition("\n## ")[0]
    assert [area.value for area in Area if area.value not in " ".join(fences.split())] == []
    network = PAGE.partition("## The network")[2].partition("\n## ")[0]
    assert [name for name in EFFECTS if f"`{name}`" not in network] == []
