"""Which version an appliance would be offered. Knows only the releases that can be served, and their next ones."""

from mock_truenas.appliance.releases import RELEASES, Release
from mock_truenas.appliance.versions import read_version


def newer_than(release: Release) -> str:
    """The newest version of the next line that is served, else the next point release of its own."""
    here = read_version(release.number)
    lines = sorted({read_version(other.number).line for other in RELEASES.values()})
    later = [line for line in lines if line > here.line]
    if later:
        ours = [other.number for other in RELEASES.values() if read_version(other.number).line == later[0]]
        return max(ours, key=read_version)
    year, month, third, _ = here.parts
    return f"{year}.{month}.{third + 1}"
