"""The rate limit of what needs no login counts as the appliance does (truenas-api 5.4)."""

from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.api.auth.rate_limit import CALLS_ALLOWED, MOST_ENTRIES, WINDOW_S, RateLimit


def test_window_is_fixed_from_its_first_call() -> None:
    limit = RateLimit()
    times = [0.0, *[WINDOW_S - 1] * CALLS_ALLOWED, WINDOW_S]
    assert [limit.exceeded_by("auth.login", "10.0.0.1", now_s) for now_s in times] == [
        *[False] * CALLS_ALLOWED,
        True,
        False,
    ]


def test_methods_and_addresses_are_counted_apart_and_one_method_never() -> None:
    limit = RateLimit()
    for _ in range(CALLS_ALLOWED):
        limit.exceeded_by("auth.login", "10.0.0.1", 0)
    assert limit.exceeded_by("auth.login", "10.0.0.1", 0)
    assert not limit.exceeded_by("auth.login_ex", "10.0.0.1", 0)
    assert not limit.exceeded_by("auth.login", "10.0.0.2", 0)
    assert not any(limit.exceeded_by("core.set_options", "10.0.0.1", 0) for _ in range(100))


def test_full_table_refuses_everybody_until_it_is_cleared() -> None:
    limit = RateLimit()
    for number in range(MOST_ENTRIES - 1):
        assert not limit.exceeded_by("auth.login", f"10.0.0.{number}", 0)
    assert limit.exceeded_by("auth.login", "10.1.0.1", 0)
    assert limit.exceeded_by("auth.login", "10.0.0.1", WINDOW_S * 10)
    assert limit.exceeded_by("auth.login", "10.1.0.2", WINDOW_S * 10)
    limit.clear()
    assert not limit.exceeded_by("auth.login", "10.1.0.2", WINDOW_S * 10)


@given(st.lists(st.floats(0, 30), max_size=200))
def test_never_more_than_twenty_calls_pass_in_one_window(gaps_s: list[float]) -> None:
    limit, now_s, passed = RateLimit(), 0.0, list[float]()
    for gap_s in gaps_s:
        now_s += gap_s
        if not limit.exceeded_by("auth.login", "10.0.0.1", now_s):
            passed.append(now_s)
    # Windows begin with a call, so twice as many may fall into a minute that lies across two of them.
    for first_s in passed:
        assert len([one for one in passed if first_s <= one < first_s + WINDOW_S]) <= 2 * CALLS_ALLOWED
