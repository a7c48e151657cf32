"""Payloads of a run made fit to be shown: every secret becomes asterisks, byte for byte, so that places stay places.

What is known to carry a secret is masked for what it is (header fields, JSON members, query fields, files of keys), and
around every form of the marker each secret of a run carries the whole word is masked. Bytes of one direction of a
connection are looked at as one stream, since a secret may be cut anywhere. Knows nothing of where its result is shown.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pulse_sim.kernel.stretch import SeenEvent
from pulse_sim.observation.secrecy import PATTERNS, find_secret_forms

_NAMES: Final = rb"[\w.-]*(?:api[_-]?key|passwd|password|passphrase|token|secret|private[_-]?key)[\w.-]*"
_CARRIERS: Final = (
    re.compile(rb"(?im)^(?:proxy-)?authorization[ \t]*:[ \t]*([^\r\n]*)"),
    re.compile(rb"(?im)^(?:set-)?cookie[ \t]*:[ \t]*([^\r\n]*)"),
    re.compile(rb"(?im)^x-(?:api|auth)-(?:key|token)[ \t]*:[ \t]*([^\r\n]*)"),
    re.compile(rb'(?i)"' + _NAMES + rb'\\*"\s*:\s*\\*"((?:[^"\\]|\\.)*)'),
    re.compile(rb"(?i)[?&]" + _NAMES + rb"=([^&\s]*)"),
)
_SECRET_FILE: Final = re.compile(r"(?i)key|secret|token|passw|credential|\.pem")
_WORD: Final = rb"A-Za-z0-9._~+/=%\\-"
_WORD_BEFORE: Final = re.compile(rb"[" + _WORD + rb"]*\Z")
_WORD_AFTER: Final = re.compile(rb"[" + _WORD + rb"]*")
_MARKERS: Final = re.compile(b"|".join(re.escape(pattern) for _form, pattern in PATTERNS))
_BEGINNING: Final = re.compile(rb"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /|HTTP/1\.")
_WORD_LENGTH: Final = 4_096
_WITHHELD: Final = b"*"


def masked(events: Sequence[SeenEvent]) -> list[SeenEvent]:
    """The events with no secret readable in payload, subject or name; sizes and hashes stay those of the payload."""
    payloads = {event.number: event.payload for event in events}
    for stream in _streams(events):
        payloads.update(_masked_stream(stream))
    return [
        replace(
            event,
            payload=payloads[event.number] if event.kind == "data" else _masked_alone(event),
            subject=mask_text(event.subject),
            task_name=None if event.task_name is None else mask_text(event.task_name),
        )
        for event in events
    ]


def _masked_alone(event: SeenEvent) -> bytes:
    if event.kind == "disk" and _SECRET_FILE.search(event.subject):
        return _WITHHELD * len(event.payload)
    return mask(event.payload)


def mask(data: bytes) -> bytes:
    """``data`` with asterisks for every byte of a secret; as long as it was."""
    hidden = bytearray(data)
    for carrier in _CARRIERS:
        for found in carrier.finditer(data):
            _hide(hidden, *found.span(1))
    for marker in _MARKERS.finditer(data):
        begin = max(0, marker.start() - _WORD_LENGTH)
        before = _WORD_BEFORE.search(data[begin : marker.start()])
        after = _WORD_AFTER.match(data, marker.end())
        assert before is not None and after is not None
        _hide(hidden, begin + before.start(), after.end())
    return _WITHHELD * len(data) if find_secret_forms(bytes(hidden)) else bytes(hidden)


def mask_text(text: str) -> str:
    """The same for a text; where bytes and letters differ in number, its asterisks may be more."""
    return mask(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _streams(events: Sequence[SeenEvent]) -> list[list[SeenEvent]]:
    """The data events of each direction of a connection, in pieces that follow on each other without a gap."""
    streams: list[list[SeenEvent]] = []
    current: dict[str, list[SeenEvent]] = defaultdict(list)
    for event in events:
        if event.kind != "data":
            continue
        if not current[event.subject]:
            streams.append(current[event.subject])
        current[event.subject].append(event)
        if event.size > len(event.payload):
            del current[event.subject]
    return streams


def _masked_stream(stream: Sequence[SeenEvent]) -> dict[int, bytes]:
    """A secret may have begun before the first piece and may go on after the last: words cut there are masked too."""
    whole = b"".join(event.payload for event in stream)
    hidden = bytearray(mask(whole))
    if _BEGINNING.match(whole) is None:
        first = _WORD_AFTER.match(whole)
        assert first is not None
        _hide(hidden, *first.span())
    begin = max(0, len(whole) - _WORD_LENGTH)
    last = _WORD_BEFORE.search(whole[begin:])
    assert last is not None
    _hide(hidden, begin + last.start(), len(whole))
    pieces, place = {}, 0
    for event in stream:
        pieces[event.number] = bytes(hidden[place : place + len(event.payload)])
        place += len(event.payload)
    return pieces


def _hide(hidden: bytearray, begin: int, end: int) -> None:
    hidden[begin:end] = b"*" * (end - begin)
