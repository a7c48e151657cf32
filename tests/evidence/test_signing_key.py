"""The signing key: made once, private, and refused with a way out when it is not what it should be."""

import os
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pulse_sim.canonical import sha256_hex
from pulse_sim.evidence.signing_key import (
    PUBLISHED_TEST_KEYID,
    VARIABLE,
    SigningKeyUnusable,
    is_signed,
    load_public_key,
    load_signing_key,
    make_signing_key,
    signing_key_file,
)
from tests.evidence.keys import key_file, key_named
from tests.evidence.reference import PUBLISHED_KEY

AT_ONCE = 12


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = tmp_path / "config" / "pulse-sim" / "signing-key.pem"
        make_signing_key(file, os.urandom)
    finally:
        os.umask(before)
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "pulse-sim" / "signing-key.pem"
    make_signing_key(file, os.urandom)
    before = file.read_bytes()
    make_signing_key(file, os.urandom)
    assert file.read_bytes() == before


def test_of_many_that_make_one_at_once_one_does(tmp_path: Path) -> None:
    file = tmp_path / "pulse-sim" / "signing-key.pem"
    together = threading.Barrier(AT_ONCE)
    seen: list[str] = []

    def use() -> None:
        together.wait()
        make_signing_key(file, os.urandom)
        seen.append(load_signing_key(file).keyid)

    threads = [threading.Thread(target=use) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(seen), len(set(seen))) == (AT_ONCE, 1)


@pytest.mark.system
def test_of_several_processes_that_make_one_at_once_one_does(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from pulse_sim.evidence.signing_key import *; sys.stdin.read(1); "
        "file = Path(sys.argv[1]); make_signing_key(file, os.urandom); print(load_signing_key(file).keyid)"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "pulse-sim" / "signing-key.pem")]
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(4)
        ]
        for process in started:
            assert process.stdin is not None
            process.stdin.write("!")
            process.stdin.flush()
        told = {process.communicate(timeout=60)[0] for process in started}
    assert len(told) == 1 and len(told.pop()) == 65


def test_what_an_interrupted_attempt_left_is_no_key_and_in_nobodys_way(tmp_path: Path) -> None:
    file = tmp_path / "pulse-sim" / "signing-key.pem"
    file.parent.mkdir(mode=0o700)
    file.with_name("signing-key.pem.new").write_bytes(b"half a key")
    make_signing_key(file, os.urandom)
    assert load_signing_key(file).keyid
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_signature_is_the_same_every_time_and_holds_for_its_message_and_key_only(tmp_path: Path) -> None:
    one, other = key_named(tmp_path, "one"), key_named(tmp_path, "other")
    signature = one.sign(b"message")
    assert signature == one.sign(b"message") and len(signature) == 64
    assert is_signed(one.public, signature, b"message")
    assert not is_signed(one.public, signature, b"massage")
    assert not is_signed(other.public, signature, b"message")
    assert not is_signed(one.public, signature[:-1], b"message")
    assert not is_signed(b"\0" * 31, signature, b"message")


def test_the_keyid_is_the_digest_of_the_public_key_as_the_public_file_holds_it(tmp_path: Path) -> None:
    key = key_named(tmp_path, "one")
    public = tmp_path / "one.pub"
    public.write_text(key.public_pem())
    assert load_public_key(public) == key.public
    assert key.keyid == sha256_hex(key.public)


def test_a_key_shows_nothing_secret_of_itself(tmp_path: Path) -> None:
    key = key_named(tmp_path, "one")
    assert key.seed().hex() not in repr(key) and repr(key.seed()) not in repr(key)


@pytest.mark.parametrize("others", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_use_is_refused_with_the_command_that_helps(tmp_path: Path, others: int) -> None:
    file = key_file(tmp_path, "open")
    file.chmod(others)
    with pytest.raises(SigningKeyUnusable, match=f"mode {others:04o}.*chmod 600 {file}"):
        load_signing_key(file)


def test_a_directory_that_others_can_write_to_is_no_place_for_a_key(tmp_path: Path) -> None:
    directory = tmp_path / "pulse-sim"
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(SigningKeyUnusable, match=f"chmod 700 {directory}"):
        make_signing_key(directory / "signing-key.pem", os.urandom)
    assert not list(directory.iterdir())


def pem(private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


ED25519 = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
UNUSABLE = {
    "empty": (b"", "damaged or no private key"),
    "text": (b"hello\n", "damaged or no private key"),
    "cut": (pem(ED25519)[:60], "damaged or no private key"),
    "another kind": (pem(ec.generate_private_key(ec.SECP256R1())), "not Ed25519"),
    "encrypted": (pem(ED25519, b"passphrase"), "encrypted"),
    "public": (
        ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "holds a public key, not a private one",
    ),
    "huge": (b"-" * 20_000, "larger than any key"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_is_no_key_of_ours_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, what = UNUSABLE[name]
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SigningKeyUnusable, match=what) as caught:
        load_signing_key(file)
    told = str(caught.value)
    assert "\n" not in told and str(file) in told and ";" in told


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for place, what in ((tmp_path, "cannot be read"), (pipe, "not a plain file"), (tmp_path / "no", "is not there")):
        with pytest.raises(SigningKeyUnusable, match=what):
            load_signing_key(place)


def test_a_private_key_is_not_taken_where_a_public_one_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyUnusable, match="private key; give the public half"):
        load_public_key(key_file(tmp_path, "mine"))


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pub"
    file.write_bytes(content)
    with pytest.raises(SigningKeyUnusable, match="no public key"):
        load_public_key(file)


def test_the_published_test_key_needs_no_protection_and_is_known_by_its_keyid(tmp_path: Path) -> None:
    copy = tmp_path / "key.pem"
    copy.write_bytes(PUBLISHED_KEY.read_bytes())
    copy.chmod(0o644)
    assert load_signing_key(copy).keyid == PUBLISHED_TEST_KEYID
    assert b"This key is published" in PUBLISHED_KEY.read_bytes()


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({VARIABLE: "/some/key.pem", "HOME": "/home/me", "XDG_CONFIG_HOME": "/x"}, "/some/key.pem"),
        ({VARIABLE: "", "HOME": "/home/me", "XDG_CONFIG_HOME": "/x"}, "/x/pulse-sim/signing-key.pem"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "relative"}, "/home/me/.config/pulse-sim/signing-key.pem"),
        ({"HOME": "/home/me"}, "/home/me/.config/pulse-sim/signing-key.pem"),
    ],
)
def test_where_the_key_is_follows_the_variable_then_the_configuration_directory(
    environment: dict[str, str], place: str
) -> None:
    assert signing_key_file(environment) == Path(place)


def test_without_a_home_the_way_out_is_told() -> None:
    with pytest.raises(SigningKeyUnusable, match=f"--key or {VARIABLE}"):
        signing_key_file({})


def test_where_nothing_can_be_written_the_way_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SigningKeyUnusable, match=f"name a key file with --key or {VARIABLE}"):
        make_signing_key(tmp_path / "file" / "pulse-sim" / "signing-key.pem", os.urandom)


def test_a_key_of_another_user_is_refused_but_by_the_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = key_file(tmp_path, "theirs")
    owner = file.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(SigningKeyUnusable, match="belongs to another user; name a key file of your own"):
        load_signing_key(file)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert load_signing_key(file).keyid


def test_a_public_key_of_another_kind_is_refused_with_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    file.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(SigningKeyUnusable) as told:
        load_public_key(file)
    assert str(told.value) == f"{file} holds a key that is not Ed25519; `pulse-sim key` prints one that is"
