"""What disks are called across answers: the canonical ids of one source's disks (contract A4, A8). Pure.

Knows neither appliance nor agent, only source ids, serial numbers and what the disks were called before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from pulse_sim.stack.resources import ResourceType, canonical_id

_UNBELIEVABLE: Final = frozenset({"", "not specified", "none", "unknown"})


def believable_serials(serials: Iterable[str | None]) -> frozenset[str]:
    """Those of a system's serials that name exactly one disk and are not a placeholder of a virtual machine."""
    counts = Counter((serial or "").strip() for serial in serials)
    return frozenset(s for s, n in counts.items() if n == 1 and s.lower() not in _UNBELIEVABLE)


def disk_ids(
    serials: Mapping[str, str | None], source: str, believable: frozenset[str], known: Mapping[str, str]
) -> dict[str, str]:
    """The id of every disk by source id; ``serials`` has all disks of one system.

    A believable serial names its disk. A disk without one keeps the id it is ``known`` by, because an answer that
    lacks a serial for once says nothing about the disk; not where another disk of the answer now has that id. Else
    its name on ``source`` (``truenas``, ``agent``) has to do.
    """
    named = {each: (serial or "").strip() for each, serial in serials.items()}
    ids = {each: _id(f"machine:{serial}") for each, serial in named.items() if serial in believable}
    taken = set(ids.values())
    for each in [each for each in named if each not in ids]:
        own = _id(f"{source}:{each}")
        kept = known.get(each, own)
        ids[each] = own if kept in taken else kept
    return ids


def _id(key: str) -> str:
    return canonical_id(ResourceType.PHYSICAL_DISK, key)
