"""No secret is readable in what a comparison of runs shows, however it was carried or cut."""

import base64
import hashlib
import json
from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.cli.masking import mask, masked
from pulse_sim.kernel.stretch import KEPT_BYTES, SeenEvent
from pulse_sim.observation.secrecy import MARKER, find_secret_forms

SECRET = "1-" + MARKER.decode() + "0123456789abcdef"
BASIC = base64.b64encode(f"root:{SECRET}".encode()).decode()
HEAD = f"GET /api/v2.0/pool HTTP/1.1\r\nHost: nas-1\r\nAuthorization: Bearer {SECRET}\r\nAccept: */*\r\n\r\n".encode()


def seen(number: int, payload: bytes, kind: str = "data", subject: str = "a:1>b:2") -> SeenEvent:
    sha256 = hashlib.sha256(payload).hexdigest()
    return SeenEvent(number, 0, 0, None, None, kind, subject, len(payload), sha256, payload[:KEPT_BYTES])


def cut(data: bytes, places: Sequence[int]) -> list[SeenEvent]:
    """``data`` as consecutive events of one direction of a connection."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [seen(number, data[edges[number] : edges[number + 1]]) for number in range(len(edges) - 1)]


@pytest.mark.parametrize(
    "data",
    [
        HEAD,
        f"Authorization: Basic {BASIC}\r\n".encode(),
        f"X-API-Token: {SECRET}\r\n".encode(),
        json.dumps({"id": 1, "method": "auth.login_with_api_key", "params": [SECRET]}).encode(),
        json.dumps({"apiKey": SECRET}).encode(),
        json.dumps(json.dumps({"apiKey": SECRET})).encode(),
        "".join(f"\\u{ord(letter):04x}" for letter in SECRET).encode(),
        "".join(f"%{ord(letter):02X}" for letter in SECRET).encode(),
        quote(SECRET).encode(),
        SECRET.encode().hex().encode(),
        SECRET.encode().hex().upper().encode(),
        *(base64.b64encode(b"x" * lead + SECRET.encode()) for lead in range(3)),
        *(base64.urlsafe_b64encode(b"x" * lead + SECRET.encode()) for lead in range(3)),
    ],
)
def test_no_form_of_a_secret_is_left_and_everything_keeps_its_place(data: bytes) -> None:
    assert find_secret_forms(data)
    shown = mask(b"before " + data + b" after")
    assert len(shown) == len(data) + 13
    assert find_secret_forms(shown) == []
    assert b"0123456789abcdef" not in shown
    assert shown.startswith(b"before ")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nauthorization: Bearer unmarked-token\r\n\r\n",
        b"Proxy-Authorization: Basic unmarked-token\r\n",
        b"Cookie: session=unmarked-token\r\n",
        b"x-api-key:unmarked-token",
        b'{"api_key": "unmarked-token"}',
        b'{"rootPassword":"unmarked-token"}',
        b"GET /login?token=unmarked-token&x=1 HTTP/1.1",
    ],
)
def test_what_carries_secrets_is_masked_for_what_it_is(data: bytes) -> None:
    shown = mask(data)
    assert b"unmarked" not in shown
    assert len(shown) == len(data)


def test_what_is_no_secret_stays_readable() -> None:
    shown = mask(HEAD)
    assert shown.startswith(b"GET /api/v2.0/pool HTTP/1.1\r\nHost: nas-1\r\nAuthorization: ***")
    assert shown.endswith(b"***\r\nAccept: */*\r\n\r\n")


@given(st.lists(st.integers(0, 200), max_size=12), st.booleans())
def test_a_secret_cut_anywhere_shows_in_no_piece(places: list[int], basic: bool) -> None:
    data = HEAD.replace(b"Bearer " + SECRET.encode(), b"Basic " + BASIC.encode()) if basic else HEAD
    shown = b"".join(event.payload for event in masked(cut(data, places)))
    assert len(shown) == len(data)
    assert find_secret_forms(shown) == []
    assert b"0123456789" not in shown
    assert BASIC.encode()[:8] not in shown


@given(st.integers(0, len(HEAD)), st.integers(0, len(HEAD)))
def test_a_secret_that_began_before_or_ends_after_what_was_seen_shows_in_no_part(first: int, last: int) -> None:
    events = [seen(1, HEAD[first:last])]
    shown = masked(events)[0].payload
    for length in range(4, len(SECRET)):
        for begin in range(len(SECRET) - length):
            assert SECRET[begin : begin + length].encode() not in shown


def test_a_piece_too_long_to_be_kept_whole_hides_the_word_at_its_end() -> None:
    lead = b"x " * (KEPT_BYTES // 2 - 4)
    whole = seen(1, lead + SECRET.encode() + b" more" * 1_000)
    rest = seen(2, b"MSECRET0123456789abcdef and on")
    shown = masked([whole, rest])
    assert b"1-PS" not in shown[0].payload
    assert b"0123456789" not in shown[1].payload
    assert shown[1].payload.endswith(b" and **")


def test_a_file_of_keys_on_a_disk_is_not_shown() -> None:
    (shown,) = masked([seen(1, b"X9aNDGTgJT8c6/kw9cm3=", "disk", "pulse write /etc/pulse/.encryption.key.tmp")])
    assert set(shown.payload) == {ord("*")}


def test_a_secret_in_a_subject_is_not_shown() -> None:
    (shown,) = masked([seen(1, b"", "disk", f"pulse write /etc/{SECRET}")])
    assert find_secret_forms(shown.subject.encode()) == []


@given(st.binary(max_size=300))
def test_any_bytes_keep_their_length(data: bytes) -> None:
    assert len(mask(data)) == len(data)
