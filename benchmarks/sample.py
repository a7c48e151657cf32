"""One measurement in the process it is started in: ``python -m benchmarks.sample ENGINE WORKLOAD ROUNDS``.

Prints requests per second of CPU time of the whole process, set-up and tear-down of the loop included, imports not. A
short run of the same goes before it: what an engine does once in a process is no part of the comparison.
"""

import sys
import time

from benchmarks.engines import ENGINES, contexts
from benchmarks.workloads import WORKLOADS

WARM_UP_ROUNDS = 4


def main(engine: str, workload_name: str, rounds: int) -> float:
    """Requests per second of CPU."""
    workload = WORKLOADS[workload_name]
    tls = contexts() if workload.tls else None
    ENGINES[engine](workload, WARM_UP_ROUNDS, tls)
    started_s = time.process_time()
    made = ENGINES[engine](workload, rounds, tls)
    return made / (time.process_time() - started_s)


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
