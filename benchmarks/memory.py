"""How much a simulated process grows: ``python -m benchmarks.memory HOURS`` polls for that long in virtual time.

Prints one JSON object: resident MiB by virtual hour, at the eighth, the half and the end.
"""

import json
import os
import sys
from collections.abc import Mapping

from benchmarks.engines import in_simulation
from benchmarks.workloads import WORKLOADS, Target, Workload

POLLS_AN_HOUR = 120
_PAGE = os.sysconf("SC_PAGE_SIZE")


def slope(resident_mib: Mapping[float, float]) -> float:
    """MiB an hour between the first and the last reading."""
    first, last = min(resident_mib), max(resident_mib)
    return (resident_mib[last] - resident_mib[first]) / (last - first)


def grow(hours: float) -> dict[float, float]:
    """Resident MiB after an eighth, a half and all of the hours."""
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    read: dict[float, float] = {}
    drive = WORKLOADS["fresh"].drive

    async def poll(target: Target, _rounds: int) -> int:
        made, polled = 0, 0.0
        for until in (hours / 8, hours / 2, hours):
            made += await drive(target, round((until - polled) * POLLS_AN_HOUR))
            polled = until
            read[until] = int(os.pread(statm, 64, 0).split()[1]) * _PAGE / 2**20
        return made

    in_simulation(Workload("memory", poll, 0), 0, None)
    os.close(statm)
    return read


if __name__ == "__main__":
    print(json.dumps(grow(float(sys.argv[1]))))
