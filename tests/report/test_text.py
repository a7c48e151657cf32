"""Words of others on their way into a report."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.report.text import clock, in_words, markdown, parameters_in_words, plain
from pulse_sim.units import HOUR, MILLISECOND, MINUTE, SECOND


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tank", "tank"),
        ("Größe 大", "Größe 大"),
        ("\x1b[31m", "␛[31m"),
        ("a\r\nb\tc\0", "a␍␊b␉c␀"),
        ("\x7f", "␡"),
        ("\u202eabc", "\\u{202e}abc"),
        ("\u2028", "\\u{2028}"),
        ("\x9b", "\\u{9b}"),
        ("\ud800", "\\u{d800}"),
        ("\ufeff", "\\u{feff}"),
        ("\uffff", "\\u{ffff}"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_long_name_is_cut_and_says_so() -> None:
    assert plain("x" * 5000) == "x" * 1999 + "…"
    assert plain("x" * 2000) == "x" * 2000


@given(st.text(max_size=200))
def test_a_printable_word_is_one_line_and_stays_itself(text: str) -> None:
    shown = plain(text)
    assert all(character.isprintable() or unicodedata.category(character) == "Zs" for character in shown)
    assert "\n" not in shown and "\x1b" not in shown
    assert plain(shown) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("**bold**", "\\*\\*bold\\*\\*"),
        ("a|b", "a\\|b"),
        ("<b>", "&lt;b&gt;"),
        ("[x](y)", "\\[x\\](y)"),
        ("`code`", "\\`code\\`"),
        ("@team", "&#64;team"),
        ("http://evil", "http&#58;//evil"),
        ("www.evil", "www&#46;evil"),
        ("nas-1 at 5m", "nas-1 at 5m"),
    ],
)
def test_markdown_of_a_name_does_not_come_to_life(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


@pytest.mark.parametrize(
    ("time_ns", "told"),
    [
        (0, "0s"),
        (1500 * MILLISECOND, "1.5s"),
        (17 * SECOND, "17s"),
        (5 * MINUTE, "5m"),
        (5 * MINUTE + 9 * SECOND, "5m 09s"),
        (48 * HOUR, "48h"),
        (31 * HOUR + 5 * MINUTE, "31h 05m"),
    ],
)
def test_virtual_time_is_told_as_people_say_it(time_ns: int, told: str) -> None:
    assert clock(time_ns) == told


def test_parameters_are_told_in_one_line() -> None:
    given_parameters = {"delay_ns": 25 * SECOND, "path": "/pool", "first": None, "between": ["5m", "10m"]}
    assert parameters_in_words(given_parameters) == "between 5m and 10m, delay 25s, path /pool"
    assert parameters_in_words("nonsense") == ""
    assert in_words({"b": [1, True], "a": None}) == "a=none, b=1, true"
