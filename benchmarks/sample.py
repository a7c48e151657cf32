"""One measurement in the process it is started in: ``python -m benchmarks.sample ENGINE WORKLOAD ROUNDS``.

Prints requests per second of CPU time of the whole process, set-up and tear-down of the loop included, imports not.
"""

import sys
import time

from benchmarks.engines import ENGINES, contexts
from benchmarks.workloads import WORKLOADS


def main(engine: str, workload_name: str, rounds: int) -> float:
    """Requests per second of CPU."""
    workload = WORKLOADS[workload_name]
    tls = contexts() if workload.tls else None
    started_s = time.process_time()
    made = ENGINES[engine](workload, rounds, tls)
    return made / (time.process_time() - started_s)


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
