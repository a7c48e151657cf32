"""Where a run's secrets are readable: each secret minted in a run carries a marker, looked for here in all its forms.

Searches for what the marker becomes, and never decodes what it searches, so it is fast and cannot be led astray. Knows
nothing of files or records.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MARKER: Final = b"PSIMSECRET"


@dataclass(frozen=True, slots=True)
class SecretForm:
    """One form of the marker and the byte offset of its first occurrence."""

    form: str
    offset: int


def find_secret_forms(data: bytes) -> list[SecretForm]:
    """Every form in which the marker is readable in ``data``: plain, URL-encoded, JSON-escaped, base64, hex."""
    found = ((form, data.find(pattern)) for form, pattern in PATTERNS)
    return [SecretForm(form, offset) for form, offset in found if offset >= 0]


def _base64_forms() -> Iterator[bytes]:
    """What stays of the marker at each offset to the groups of 3 bytes: the characters no neighbour touches."""
    for lead in range(3):
        first = -(-lead * 8 // 6)
        last = (lead + len(MARKER)) * 8 // 6
        text = b"\0" * lead + MARKER + b"\0" * 3
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(text)[first:last]


def _patterns() -> Sequence[tuple[str, bytes]]:
    hexadecimal = MARKER.hex()
    octets = [hexadecimal[index : index + 2] for index in range(0, len(hexadecimal), 2)]
    forms = [("plain", MARKER)]
    for case in (str.lower, str.upper):
        forms.append(("hex", case(hexadecimal).encode()))
        forms.append(("url", "".join("%" + case(octet) for octet in octets).encode()))
        for escape in ("\\u00", "\\\\u00"):  # as JSON, and as JSON quoted in JSON
            forms.append(("json", "".join(escape + case(octet) for octet in octets).encode()))
    forms.extend(("base64", text) for text in _base64_forms())
    return tuple(dict.fromkeys(forms))


PATTERNS: Final = _patterns()
