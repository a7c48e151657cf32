"""Schedules of the appliance come due when a calendar says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_truenas.appliance.cron import due_after
from mock_truenas.appliance.rows import schedule

SECOND = 1_000_000_000


def after(text: str, start: str, **more: str) -> str | None:
    now_ns = int(datetime.fromisoformat(f"{start}+00:00").timestamp()) * SECOND
    due_ns = due_after({**schedule(text), **more}, now_ns)
    return None if due_ns is None else datetime.fromtimestamp(due_ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "start", "due"),
    [
        ("0 * * * *", "2026-02-09 00:00", "2026-02-09 01:00"),
        ("0 * * * *", "2026-02-08 23:59:59", "2026-02-09 00:00"),
        ("*/15 8-18 * * 1-5", "2026-02-13 18:45", "2026-02-16 08:00"),
        ("30 4 1 jan sun", "2026-02-09 00:00", "2034-01-01 04:30"),
        ("0 0 29 2 *", "2026-02-09 00:00", "2028-02-29 00:00"),
        ("0 0 * * 0", "2026-02-09 00:00", "2026-02-15 00:00"),
        ("0 0 * * 7", "2026-02-09 00:00", "2026-02-15 00:00"),
        ("07 00,12 * * *", "2026-02-09 00:07", "2026-02-09 12:07"),
        ("5/20 3 * * *", "2026-02-09 03:05", "2026-02-09 03:25"),
        ("0 0 31 2 *", "2026-02-09 00:00", None),
        ("61 0 * * *", "2026-02-09 00:00", None),
        ("x 0 * * *", "2026-02-09 00:00", None),
        ("0 0 * frog *", "2026-02-09 00:00", None),
    ],
)
def test_a_schedule_is_due_when_a_calendar_says_so(text: str, start: str, due: str | None) -> None:
    assert after(text, start) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0-999999999999999 0 * * *", "2026-02-10 00:00"),
        ("59-999999999999999/1 1 * * *", "2026-02-09 01:59"),
        ("999999999999999 0 * * *", None),
        ("5-1 0 * * *", None),
        ("0 0 0-99999999999999999999 * *", "2026-02-10 00:00"),
    ],
)
def test_a_range_beyond_the_clock_costs_no_more_than_the_clock_has(text: str, due: str | None) -> None:
    assert after(text, "2026-02-09 00:59") == due


def test_a_schedule_keeps_to_its_hours() -> None:
    assert after("0 * * * *", "2026-02-09 20:00", begin="09:00", end="17:00") == "2026-02-10 09:00"
    assert after("30 * * * *", "2026-02-09 16:31", begin="09:00", end="17:00") == "2026-02-10 09:30"
    assert after("0 * * * *", "2026-02-09 20:00", begin="nine", end="17:00") is None


@st.composite
def fields(draw: Any) -> tuple[dict[str, str], tuple[set[int], ...]]:
    """A schedule, and the numbers each of its fields stands for."""
    texts, numbers = {}, []
    for name, low, high in (("minute", 0, 59), ("hour", 0, 23), ("dom", 1, 28), ("month", 1, 12), ("dow", 1, 7)):
        chosen = draw(st.one_of(st.none(), st.sets(st.integers(low, high), min_size=1, max_size=3)))
        texts[name] = "*" if chosen is None else ",".join(map(str, sorted(chosen)))
        numbers.append(set(range(low, 32)) | set(range(60)) if chosen is None else chosen)
    return texts, tuple(numbers)


@given(fields(), st.integers(0, 2_000_000_000))
@settings(max_examples=100)
def test_no_minute_between_fits_and_the_due_one_does(
    made: tuple[dict[str, str], tuple[set[int], ...]], now_s: int
) -> None:
    texts, (minute, hour, dom, month, dow) = made

    def fits(at: datetime) -> bool:
        day = at.day in dom and at.month in month and at.isoweekday() in dow
        return day and at.hour in hour and at.minute in minute

    due_ns = due_after(texts, now_s * SECOND)
    at = datetime.fromtimestamp(now_s, UTC).replace(second=0) + timedelta(minutes=1)
    end = at + timedelta(days=3)
    while at < end and not fits(at):
        at += timedelta(minutes=1)
    if at < end:
        assert due_ns == int(at.timestamp()) * SECOND
    else:
        assert due_ns is None or due_ns >= int(end.timestamp()) * SECOND
        assert due_ns is None or fits(datetime.fromtimestamp(due_ns // SECOND, UTC))
