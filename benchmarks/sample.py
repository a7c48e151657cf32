"""One measurement in the process it is started in: ``python -m benchmarks.sample ENGINE WORKLOAD ROUNDS [WARM_UP]``.

Prints requests per second of CPU time of the whole process, set-up and tear-down of the loop included, imports not.
WARM_UP rounds go before it untimed; none by default, as a fresh process is what the goals are about. It matters:
asyncio on sockets reads into 256 KiB at the top of a young heap, which glibc gives back after every read, four page
faults a request; after a first loop it no longer does, and loopback with 16 in flight is a third faster.
"""

import sys
import time

from benchmarks.engines import ENGINES, contexts
from benchmarks.workloads import WORKLOADS


def main(engine: str, workload_name: str, rounds: int, warm_up: int = 0) -> float:
    """Requests per second of CPU."""
    workload = WORKLOADS[workload_name]
    tls = contexts() if workload.tls else None
    if warm_up:
        ENGINES[engine](workload, warm_up, tls)
    started_s = time.process_time()
    made = ENGINES[engine](workload, rounds, tls)
    return made / (time.process_time() - started_s)


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
