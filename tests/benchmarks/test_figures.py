"""What is made of samples: medians, spreads, ratios, and figures that could not be taken."""

import pytest

from benchmarks.figures import MeasurementFailed, NotMeasured, Samples, interleaved, ratio


def test_samples_tell_their_median_and_both_spreads() -> None:
    told = Samples((5.0, 1.0, 2.0, 4.0, 3.0)).to_data()

    assert told == {
        "median": 3.0,
        "lower_quartile": 2.0,
        "upper_quartile": 4.0,
        "min": 1.0,
        "max": 5.0,
        "samples": [5.0, 1.0, 2.0, 4.0, 3.0],
    }


def test_no_samples_are_no_figure() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Samples(())


def test_a_ratio_is_taken_pair_by_pair_so_that_a_slow_minute_counts_on_both_sides() -> None:
    assert ratio(Samples((20.0, 2.0, 30.0)), Samples((10.0, 1.0, 10.0))) == Samples((2.0, 2.0, 3.0))


def test_a_ratio_with_a_missing_side_is_missing_for_the_same_reason() -> None:
    missing = NotMeasured("no such engine")

    assert ratio(missing, Samples((1.0,))) is missing
    assert ratio(Samples((1.0,)), missing) is missing


def test_measures_are_taken_in_turn() -> None:
    taken: list[str] = []

    def measure(name: str, value: float) -> float:
        taken.append(name)
        return value

    figures = interleaved({"a": lambda: measure("a", 1), "b": lambda: measure("b", 2)}, 3)

    assert "".join(taken) == "ababab"
    assert figures == {"a": Samples((1, 1, 1)), "b": Samples((2, 2, 2))}


def test_a_measure_that_fails_is_told_once_tried_no_more_and_keeps_no_other_from_its_samples() -> None:
    tried: list[int] = []
    told: list[str] = []

    def failing() -> float:
        tried.append(1)
        raise MeasurementFailed("the peer is not there", "its own words")

    figures = interleaved({"bad": failing, "good": lambda: 1.0}, 2, told.append)

    assert figures == {"bad": NotMeasured("the peer is not there"), "good": Samples((1.0, 1.0))}
    assert len(tried) == 1
    assert told == ["bad: the peer is not there\nits own words"]
