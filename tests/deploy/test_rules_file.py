"""deploy/prometheus/truenas.rules.yml and the stack have one set of thresholds, and Prometheus can read it."""

import re

import pytest

from tests.deploy.promtool import run
from tests.deploy.rulebook import RULES_FILE, differences

TEXT = RULES_FILE.read_text("utf-8")
NUMBERS = [
    match
    for match in re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])|(?<=offset )\d+|(?<=interval: )\d+", TEXT)
    if not TEXT[TEXT.rfind("\n", 0, match.start()) + 1 :].lstrip().startswith("#")
]


def test_prometheus_takes_the_rules() -> None:
    status, said = run("check", "rules", str(RULES_FILE))
    assert status == 0, said
    assert "7 rules found" in said


def test_every_rule_says_what_the_stack_evaluates() -> None:
    assert differences(TEXT) == []


def test_there_are_as_many_numbers_as_the_table_of_rules_implies() -> None:
    # interval; 3; 3, 0, 300; 6, 0, 600; three rises of offset, 0, threshold; quantile, offset, 0, threshold
    assert len(NUMBERS) == 1 + 1 + 3 + 3 + 3 * 3 + 4


@pytest.mark.parametrize("match", NUMBERS, ids=lambda match: f"{match.start()}-{match.group()}")
def test_any_other_number_in_the_file_is_a_difference(match: re.Match[str]) -> None:
    changed = TEXT[: match.start()] + str(float(match.group()) + 1).removesuffix(".0") + TEXT[match.end() :]
    assert differences(changed)
