"""No secret leaves in a bundle: every file is searched for the marker each secret of a run carries (R13), and for keys.

Knows nothing of what the files are for.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pulse_sim.evidence.hostile import files_below
from pulse_sim.observation.secrecy import find_secret_forms

_PEM: Final = b"PRIVATE KEY-----"
_PKCS8: Final = bytes.fromhex("302e020100300506032b657004220420")  # what comes before the 32 bytes of every Ed25519 key


class SecretInEvidence(Exception):
    """A file of a bundle shows a secret; nothing was written. The message names files and forms, never the secret."""


def require_no_secret(root: Path, *, skip: str | None = None) -> None:
    """Raises SecretInEvidence when a file below ``root``, or its name, shows a marker in any form.

    Files below the directory ``skip`` were searched before and are left alone.
    """
    _search(root, skip, "a secret", lambda content: sorted({form.form for form in find_secret_forms(content)}))


def require_no_private_key(root: Path, seed: bytes, *, skip: str | None = None) -> None:
    """Raises SecretInEvidence when a file below ``root`` shows a private key in PEM or DER, or the one of ``seed``.

    ``seed`` is the 32 bytes of the key in use, looked for raw, in hex and in base64. ``skip`` as above.
    """
    forms = [("PEM", _PEM), *_forms_of(_PKCS8), *_forms_of(seed)]
    _search(root, skip, "a private key", lambda content: sorted({form for form, sought in forms if sought in content}))


def _search(root: Path, skip: str | None, what: str, forms_in: Callable[[bytes], list[str]]) -> None:
    found = []
    for place in files_below(root):
        if skip is not None and place.startswith(skip + "/"):
            continue
        forms = sorted({*forms_in((root / place).read_bytes()), *forms_in(place.encode())})
        if forms:
            found.append(f"{place} ({', '.join(forms)})")
    if found:
        raise SecretInEvidence(f"{what} is readable in {'; '.join(found)}")


def _forms_of(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", secret
    yield "hex", secret.hex().encode()
    yield "hex", secret.hex().upper().encode()
    for lead in range(3):  # at each offset to the groups of 3 bytes: the characters no neighbour touches
        first, last = -(-lead * 8 // 6), (lead + len(secret)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield "base64", encode(b"\0" * lead + secret + b"\0" * 3)[first:last]
