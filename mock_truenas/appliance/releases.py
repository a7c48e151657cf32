"""What differs between TrueNAS releases, as data (truenas-api 0, 3.1). A release that is not built is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Release:
    """One release. ``info_version`` is in ``system.info``, ``version`` is what ``system.version`` says."""

    name: str
    info_version: str
    version: str
    version_short: str
    product_type: str
    built_at_s: int


RELEASES: Final[Mapping[str, Release]] = {
    "24.10": Release(
        name="24.10",
        info_version="TrueNAS-SCALE-24.10.2.4",
        version="TrueNAS-SCALE-24.10.2.4",
        version_short="24.10.2.4",
        product_type="SCALE",
        built_at_s=1_753_105_264,
    ),
}
NOT_BUILT: Final = ("24.04", "25.04", "25.10", "26.0")


def find_release(name: str) -> Release:
    """The release of that name. Raises ValueError naming those available."""
    release = RELEASES.get(name)
    if release is None:
        known = "is a TrueNAS release this version does not serve yet" if name in NOT_BUILT else "is not a release"
        raise ValueError(f"release {name!r} {known}; available: {', '.join(RELEASES)}")
    return release
