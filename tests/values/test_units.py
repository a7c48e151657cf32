"""Durations as text and as nanoseconds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from pulse_sim.units import DAY, DURATION_PATTERN, HOUR, MINUTE, SECOND, Duration, format_duration, parse_duration


class Timed(BaseModel):
    """A model with a duration."""

    at: Duration


@given(st.integers(0, 10**12 * HOUR - 1))
def test_a_duration_survives_its_text(nanoseconds: int) -> None:
    text = format_duration(nanoseconds)
    assert parse_duration(text) == nanoseconds
    assert re.fullmatch(DURATION_PATTERN, text)


@given(st.text(alphabet="0123456789dhmsun ", max_size=8))
def test_a_text_is_a_duration_for_the_parser_exactly_when_the_schema_says_so(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError as error:
        assert "write it like" in str(error)
        assert not re.fullmatch(DURATION_PATTERN, text)
    else:
        assert re.fullmatch(DURATION_PATTERN, text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("90s", 90 * SECOND),
        ("5m30s", 5 * MINUTE + 30 * SECOND),
        ("48h", 48 * HOUR),
        ("2d", 2 * DAY),
        ("1ms", 1_000_000),
        ("1us", 1_000),
        ("1ns", 1),
        ("1d2h3m4s5ms6us7ns", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5_006_007),
        ("5m3ms", 5 * MINUTE + 3_000_000),
    ],
)
def test_durations_mean_what_people_write(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "5 m", "5M", "5m5m", "30s5m", "1.5h", "5min", "5m\n", "1" * 13 + "s", "5mm", "٥m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (48 * HOUR, "48h"),
        (2 * DAY, "48h"),
        (5 * MINUTE + 30 * SECOND, "5m30s"),
        (-MINUTE, "-1m"),
        (1, "1ns"),
    ],
)
def test_durations_are_written_in_one_form(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


def test_a_field_takes_text_with_a_unit_and_nothing_else() -> None:
    timed = Timed.model_validate({"at": "300s"})
    assert timed.at == 5 * MINUTE
    assert timed.model_dump(mode="json") == {"at": "5m"}
    assert Timed.model_json_schema()["properties"]["at"]["pattern"] == DURATION_PATTERN
    for wrong in (300, 300.0, None, True, "300", ["5m"]):
        with pytest.raises(ValidationError, match="is not a duration"):
            Timed.model_validate({"at": wrong})
