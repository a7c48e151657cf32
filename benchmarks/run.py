"""``make bench``: the simulated network against loopback, the same aiohttp code, interleaved fresh processes."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 7
ROUNDS = 250
RESULTS = Path(__file__).with_name("results.json")


def sample(workload: str) -> float:
    """One measurement in a process of its own: requests per second of CPU."""
    command = [sys.executable, "-m", "benchmarks.polling", workload, str(ROUNDS)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure, print the table beside the last committed figures, write them."""
    before = json.loads(RESULTS.read_bytes()) if RESULTS.is_file() else {}
    samples: dict[str, list[float]] = {"loopback": [], "simulation": []}
    for _ in range(RUNS):
        for workload, values in samples.items():
            values.append(sample(workload))
    medians = {workload: statistics.median(values) for workload, values in samples.items()}
    print(f"{'fresh connection per request':<30} {'median/s':>9} {'min':>7} {'max':>7}")
    for workload, values in samples.items():
        print(f"{workload:<30} {medians[workload]:>9.0f} {min(values):>7.0f} {max(values):>7.0f}")
    ratio = medians["simulation"] / medians["loopback"]
    earlier = f"; {before['simulation_to_loopback']:.2f} when last committed" if before else ""
    print(f"simulation / loopback: {ratio:.2f}{earlier}")
    told = {
        "requests_per_cpu_second": {
            workload: [round(value) for value in values] for workload, values in samples.items()
        },
        "simulation_to_loopback": round(ratio, 3),
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
