"""The Ed25519 key bundles are signed with: where its file is, what it must be like, and how the first one is made.

A key file is PKCS #8 in PEM, not encrypted, 0600; a public one SubjectPublicKeyInfo in PEM: what ``openssl genpkey
-algorithm ed25519`` and ``openssl pkey -pubout`` write. Knows nothing of what is signed. Entropy is handed in (R3).
"""

import fcntl
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pulse_sim.canonical import sha256_hex

VARIABLE: Final = "PULSE_SIM_SIGNING_KEY_FILE"
FILE_NAME: Final = "signing-key.pem"
PUBLISHED_TEST_KEYID: Final = "1b4d958ed19e0d048db909ebfa8e1f5eb6dda2cba419c443ea467336714a9731"
"""Everybody has this key (tests/evidence/published-test-key.pem), so what it signed proves nothing."""
SEED_BYTES: Final = 32
_MAX_BYTES: Final = 16 * 1024
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_PUBLIC: Final = b"PUBLIC KEY-----"
_PRIVATE: Final = b"PRIVATE KEY-----"


class SigningKeyUnusable(Exception):
    """A key file is not there or not what it should be. One line, with a way out, and never a byte of the key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. ``keyid`` is the SHA-256 (64 hex) of the 32 bytes of its public half."""

    keyid: str
    public: bytes
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message (RFC 8032)."""
        return self._private.sign(message)

    def seed(self) -> bytes:
        """The 32 secret bytes, for looking whether they are readable anywhere."""
        return self._private.private_bytes_raw()

    def public_pem(self) -> str:
        """The public half as ``verify --key`` reads it."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def keyid_of(public: bytes) -> str:
    """SHA-256 (64 hex) of the 32 bytes of a public key."""
    return sha256_hex(public)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is that of ``message`` by the owner of ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key_file(environment: Mapping[str, str]) -> Path:
    """Where the key of this user on this machine is: the variable, or below the XDG configuration directory."""
    named = environment.get(VARIABLE)
    if named:
        return Path(named)
    configuration = environment.get("XDG_CONFIG_HOME", "")
    home = environment.get("HOME", "")
    if Path(configuration).is_absolute():
        base = Path(configuration)
    elif Path(home).is_absolute():
        base = Path(home) / ".config"
    else:
        raise SigningKeyUnusable(f"neither HOME nor XDG_CONFIG_HOME is set; name a key file with --key or {VARIABLE}")
    return base / "pulse-sim" / FILE_NAME


def signing_key() -> SigningKey:
    """The key of this user on this machine. Raises SigningKeyUnusable; makes none."""
    return load_signing_key(signing_key_file(os.environ))


def load_signing_key(file: Path) -> SigningKey:
    """The private key in ``file``. Raises SigningKeyUnusable unless it is one that nobody else can read."""
    content, status = _read(file)
    try:
        private = load_pem_private_key(content, password=None)
    except TypeError:
        raise SigningKeyUnusable(f"{file} is encrypted; store the key without a passphrase, 0600") from None
    except (ValueError, UnsupportedAlgorithm):
        what = "holds a public key, not a private one" if _PUBLIC in content else "is damaged or no private key in PEM"
        raise SigningKeyUnusable(f"{file} {what}; {_way_out(file)}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyUnusable(f"{file} holds a key that is not Ed25519; {_way_out(file)}")
    public = private.public_key().public_bytes_raw()
    key = SigningKey(keyid_of(public), public, private)
    if key.keyid != PUBLISHED_TEST_KEYID:  # that one is no secret, and a checkout cannot keep 0600
        _require_privacy(file, status)
    return key


def load_public_key(file: Path) -> bytes:
    """The 32 bytes of the public key in ``file``. Raises SigningKeyUnusable."""
    content, _ = _read(file)
    if _PRIVATE in content:
        raise SigningKeyUnusable(f"{file} holds a private key; give the public half, which `pulse-sim key` prints")
    try:
        public = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyUnusable(f"{file} is no public key in PEM; `pulse-sim key` prints one") from None
    if not isinstance(public, Ed25519PublicKey):
        raise SigningKeyUnusable(f"{file} holds a key that is not Ed25519; `pulse-sim key` prints one that is")
    return public.public_bytes_raw()


def make_signing_key(file: Path, entropy: Callable[[int], bytes]) -> None:
    """Make the key in ``file`` unless there is one: 0600, in a directory 0700, whole or not at all.

    Of several processes that do so at once one makes it. Raises SigningKeyUnusable where nothing can be written.
    """
    try:
        file.parent.parent.mkdir(exist_ok=True)  # a home directory that is not there is not made
        file.parent.mkdir(mode=0o700, exist_ok=True)
        directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if os.fstat(directory).st_mode & _OTHERS_WRITE:
                raise SigningKeyUnusable(f"others may write to {file.parent}; chmod 700 {file.parent}")
            if not os.path.lexists(file):
                _write(file, entropy)
                os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise SigningKeyUnusable(
            f"no signing key can be made in {file.parent}: {error.strerror}; name a key file with --key or {VARIABLE}"
        ) from None


def _write(file: Path, entropy: Callable[[int], bytes]) -> None:
    """Under the lock of the directory: what an interrupted attempt left is nobody's."""
    private = Ed25519PrivateKey.from_private_bytes(entropy(SEED_BYTES))
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        os.fchmod(opened.fileno(), 0o600)
        opened.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        opened.flush()
        os.fsync(opened.fileno())
    fresh.rename(file)


def _read(file: Path) -> tuple[bytes, os.stat_result]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SigningKeyUnusable(f"{file} is not a plain file; name a key file")
            content = opened.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise SigningKeyUnusable(
            f"{file} is not there; `openssl genpkey -algorithm ed25519 -out FILE` makes a key, and without --key and "
            f"{VARIABLE} one is made on first use"
        ) from None
    except OSError as error:
        raise SigningKeyUnusable(f"{file} cannot be read: {error.strerror}; name a key file that can") from None
    if len(content) > _MAX_BYTES:
        raise SigningKeyUnusable(f"{file} is larger than any key; name a key file")
    return content, status


def _require_privacy(file: Path, status: os.stat_result) -> None:
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise SigningKeyUnusable(f"others may use {file} (mode {mode:04o}); chmod 600 {file}, or make a new key")
    if os.geteuid() not in (0, status.st_uid):
        raise SigningKeyUnusable(f"{file} belongs to another user; name a key file of your own with --key")


def _way_out(file: Path) -> str:
    return f"restore it, name another with --key, or move it away: `openssl genpkey -algorithm ed25519 -out {file}`"
