"""No secret and no private key leaves in a bundle: what shows one is named with its form, and the secret never is."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from pulse_sim.evidence.scan import SecretInEvidence, require_no_private_key, require_no_secret

SEED = bytes(range(200, 232))
SECRET = b"PSIMSECRETabcdefghijklmnop"
PKCS8 = bytes.fromhex("302e020100300506032b657004220420") + bytes(32)


def told(check: Callable[..., None], *arguments: object, skip: str | None = None) -> str:
    with pytest.raises(SecretInEvidence) as refusal:
        check(*arguments, skip=skip)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"-----BEGIN PRIVATE KEY-----\n", "PEM"),
        (b"-----BEGIN EC PRIVATE KEY-----\n", "PEM"),
        (SEED, "raw"),
        (PKCS8, "raw"),
        (SEED.hex().encode(), "hex"),
        (SEED.hex().upper().encode(), "hex"),
        (PKCS8.hex().encode(), "hex"),
        *(
            (encode(b"x" * lead + SEED + b"y" * 5), "base64")
            for lead in range(4)
            for encode in (b64encode, urlsafe_b64encode)
        ),
    ],
)
def test_a_private_key_is_found_in_every_form(tmp_path: Path, content: bytes, form: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"before " + content + b" after")
    assert told(require_no_private_key, tmp_path, SEED) == f"a private key is readable in a.txt ({form})"


def test_every_file_and_form_is_named_in_order(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "b.txt").write_bytes(SEED + SEED.hex().encode())
    (tmp_path / "a.txt").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    (tmp_path / "c.txt").write_bytes(b"nothing")
    assert told(require_no_private_key, tmp_path, SEED) == (
        "a private key is readable in a.txt (PEM); runs/one/b.txt (hex, raw)"
    )


def test_what_was_searched_before_is_left_alone_and_its_namesake_is_not(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.txt").write_bytes(SEED)
    require_no_private_key(tmp_path, SEED, skip="runs")
    (tmp_path / "runs-2").mkdir()
    (tmp_path / "runs-2" / "a.txt").write_bytes(SEED)
    (tmp_path / "z.txt").write_bytes(SEED)
    assert told(require_no_private_key, tmp_path, SEED, skip="runs") == (
        "a private key is readable in runs-2/a.txt (raw); z.txt (raw)"
    )


def test_another_seed_and_a_public_key_are_no_secret(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(32) + b"-----BEGIN PUBLIC KEY-----")
    require_no_private_key(tmp_path, SEED)
    require_no_secret(tmp_path)


def test_a_marker_is_found_in_a_file_and_in_a_name_and_never_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"key " + SECRET)
    found = told(require_no_secret, tmp_path)
    assert found.startswith("a secret is readable in a.txt (")
    assert SECRET.decode() not in found
    (tmp_path / "a.txt").unlink()
    (tmp_path / SEED.hex()).write_bytes(b"")
    assert told(require_no_private_key, tmp_path, SEED) == f"a private key is readable in {SEED.hex()} (hex)"
