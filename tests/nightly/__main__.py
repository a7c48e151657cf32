"""``make nightly [ISSUE=N]``: takes the measurements and writes their files; exit status 1 when one found a fault."""

import argparse
import json
import shlex
import sys
from pathlib import Path

from tests.nightly.table import MEASUREMENTS


def main() -> None:
    """Measure, print and write. ``--seeds`` makes a trial of it, which is then told as one."""
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    issues = [measurement.issue for measurement in MEASUREMENTS]
    parser.add_argument("issues", nargs="*", type=int, metavar="ISSUE", help=f"of {issues}; all when none is named")
    parser.add_argument("--seeds", type=int, help="at most so many seeds for each figure")
    parser.add_argument("--to", type=Path, help="write into this directory instead of docs/measurements")
    told = parser.parse_args()
    if unknown := set(told.issues) - set(issues):
        parser.error(f"no measurement for issue {', '.join(map(str, sorted(unknown)))}; there are {issues}")
    arguments = f" ARGS={shlex.quote(f'--seeds {told.seeds}')}" if told.seeds else ""
    found = False
    for measurement in MEASUREMENTS:
        if told.issues and measurement.issue not in told.issues:
            continue
        command = "make nightly" + (f" ISSUE={measurement.issue}" if told.issues else "") + arguments
        taken = measurement.taken(command, told.seeds)
        text = json.dumps(taken, indent=2) + "\n"
        file = told.to / measurement.file.name if told.to else measurement.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        print(text, end="")
        for fault in taken["measured"].get("faults", ()):
            print(f"\n{fault}", file=sys.stderr)
            found = True
    raise SystemExit(found)


if __name__ == "__main__":
    main()
