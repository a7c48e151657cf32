"""One thing flipped in what is on record of an appliance: the check of truth fails, whichever it is."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.checks import judge_run
from pulse_sim.outcome import Outcome
from tests.checks.truth_flips import CHECK, KINDS, Flip, flipped, lasting


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_one_flip_in_what_the_appliance_was_fails_the_check(
    kind: Callable[[dict[str, Any]], Iterator[Flip]], data: st.DataObject
) -> None:
    record = data.draw(st.sampled_from(lasting()), label="truth")
    told, flip = data.draw(st.sampled_from(sorted(kind(record.data), key=lambda one: one[0])), label="flip")
    truth = deepcopy(record.data)
    flip(truth)
    (result,) = judge_run(flipped({record.seq: truth}), [CHECK])
    assert result.outcome is Outcome.FAILED, (told, result)


def test_the_run_has_something_of_every_kind_to_flip() -> None:
    assert len(lasting()) >= 2
    for kind in KINDS:
        assert all(len(list(kind(record.data))) > 4 for record in lasting()), kind.__name__
    assert any(not alert["dismissed"] for record in lasting() for alert in record.data["alerts"])


def test_the_log_written_anew_without_a_flip_passes() -> None:
    (result,) = judge_run(flipped({}), [CHECK])
    assert result.outcome is Outcome.PASSED
