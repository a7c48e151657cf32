"""Every fail-open change of the catalogue is killed by the tests it names."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.mutants.catalogue import ROOMS, ROOT, Mutant, mutants

TESTS_FAILED = 1
MUTANTS = mutants()

Try = Callable[[Mutant], dict[str, Any]]


@pytest.fixture(scope="module")
def attempt() -> Iterator[Try]:
    """A process that forks a child for each change."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mutants.trial"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answers = process.stdin, process.stdout

        def attempt(mutant: Mutant) -> dict[str, Any]:
            ask.write(mutant.id + "\n")
            ask.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer

        yield attempt
        ask.close()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.id for mutant in MUTANTS])
def test_fail_open_change_is_killed(mutant: Mutant, attempt: Try) -> None:
    answer = attempt(mutant)
    assert answer["loaded"], answer["output"]
    assert answer["status"] == TESTS_FAILED, f"{mutant.opens}: {mutant.killed_by} stay green\n{answer['output']}"


def test_the_catalogue_has_forty_changes_in_all_three_rooms_and_no_two_alike() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.id for mutant in MUTANTS}) == len({(m.file, m.text, m.becomes) for m in MUTANTS}) == len(MUTANTS)
    rooms = Counter(mutant.file.split("/")[1] for mutant in MUTANTS)
    assert set(rooms) == set(ROOMS)
    assert min(rooms.values()) >= 8


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.id for mutant in MUTANTS])
def test_change_is_one_line_and_still_a_program(mutant: Mutant) -> None:
    assert "\n" not in mutant.text + mutant.becomes
    compile(mutant.source(), mutant.file, "exec")
