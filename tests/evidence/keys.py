"""Keys for tests: any number of them, each from a name, and files to keep them in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence.signing_key import VARIABLE, SigningKey, load_signing_key, make_signing_key


def key_file(directory: Path, name: str) -> Path:
    """A private key that depends on ``name`` only, below ``directory``."""
    file = directory / name / "signing-key.pem"
    make_signing_key(file, lambda size: bytes.fromhex(sha256_hex(name.encode()))[:size])
    return file


def key_named(directory: Path, name: str) -> SigningKey:
    """The key of :func:`key_file`."""
    return load_signing_key(key_file(directory, name))


@contextmanager
def signing_with(file: Path) -> Iterator[SigningKey]:
    """What is sealed meanwhile is signed with the key in ``file``."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(file))
        yield load_signing_key(file)
