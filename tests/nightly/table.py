"""The measurements there are, in the order in which they are taken."""

from typing import Final

from tests.nightly import issue_2, issue_3, issue_4, issue_5
from tests.nightly.measurement import Measurement

MEASUREMENTS: Final[tuple[Measurement, ...]] = (
    issue_2.MEASUREMENT,
    issue_3.MEASUREMENT,
    issue_4.MEASUREMENT,
    issue_5.MEASUREMENT,
)
"""Issue 2 comes first: it reads the peak memory of the largest child this process has had."""
