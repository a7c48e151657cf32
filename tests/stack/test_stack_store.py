"""Contract A1: the encrypted store, bit for bit, and what damage does to it."""

import base64
import json
import logging
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import Disk
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.seams import Seams
from pulse_sim.stack.store import ConnectionStore, StoreDamaged

ONE = Connection(id="nas", host="nas.lan", api_key="1-PSIMSECRET", port=443, poll_interval_s=30)
FILE, KEY = "/data/truenas.enc", "/data/.encryption.key"


class FixedClock:
    def now_ns(self) -> int:
        return 0


def store_on(disk: Disk, seed: int = 1) -> ConnectionStore:
    store = ConnectionStore("/data", Seams(FixedClock(), random.Random(seed).randbytes, random.Random, disk))
    store.open()
    return store


def test_the_file_is_nonce_ciphertext_tag_of_a_json_array_and_nothing_else() -> None:
    disk = Disk("d")
    store_on(disk).save([ONE])
    data, key = disk.read(FILE), base64.b64decode(disk.read(KEY), validate=True)
    plaintext = AESGCM(key).decrypt(data[:12], data[12:], None)
    assert len(data) == 12 + len(plaintext) + 16
    assert json.loads(plaintext) == [ONE.to_record()]
    assert set(json.loads(plaintext)[0]) == {
        "id", "name", "host", "port", "apiKey", "username", "password", "useHttps", "insecureSkipVerify",
        "fingerprint", "enabled", "pollIntervalSeconds",
    }  # fmt: skip


def test_the_key_is_made_once_with_its_modes() -> None:
    disk = Disk("d")
    store_on(disk)
    first = disk.read(KEY)
    store_on(disk, seed=2)
    assert disk.read(KEY) == first
    assert len(base64.b64decode(first)) == 32
    assert (disk.mode(KEY), disk.mode("/data")) == (0o600, 0o700)


def test_a_key_others_may_read_is_closed_again(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk("d")
    store_on(disk)
    disk.write(KEY, disk.read(KEY), 0o644)
    with caplog.at_level(logging.WARNING, "pulse.store"):
        store_on(disk)
    assert disk.mode(KEY) == 0o600
    assert ".encryption.key was open to others" in caplog.text


def test_what_was_saved_is_loaded_by_the_next_process_and_survives_a_power_cut() -> None:
    disk = Disk("d")
    store_on(disk).save([ONE])
    disk.lose_power()
    assert store_on(disk).load() == (ONE,)
    assert disk.mode(FILE) == 0o600
    assert sorted(disk.files()) == [KEY, FILE]


def test_every_save_has_a_nonce_of_its_own() -> None:
    disk = Disk("d")
    store = store_on(disk)
    store.save([ONE])
    first = disk.read(FILE)
    store.save([ONE])
    assert disk.read(FILE)[:12] != first[:12]


@pytest.mark.parametrize("content", [None, b"", b"  \n"])
def test_a_missing_or_empty_file_is_no_connections(content: bytes | None) -> None:
    disk = Disk("d")
    store = store_on(disk)
    store.save([ONE])
    disk.remove(FILE)
    if content is not None:
        disk.write(FILE, content, 0o600)
    assert store.load() == ()


def test_a_plaintext_array_is_read_and_rewritten_encrypted() -> None:
    disk = Disk("d")
    store = store_on(disk)
    disk.write(FILE, json.dumps([ONE.to_record()]).encode(), 0o600)
    assert store.load() == (ONE,)
    assert b"PSIMSECRET" not in disk.read(FILE)
    assert store_on(disk).load() == (ONE,)


def test_numbers_that_pulse_wrote_as_zero_are_not_set() -> None:
    disk = Disk("d")
    store = store_on(disk)
    record = {**ONE.to_record(), "port": 0, "pollIntervalSeconds": 0, "enabled": False}
    disk.write(FILE, json.dumps([record]).encode(), 0o600)
    (found,) = store.load()
    assert (found.effective_port, found.poll_interval_s, found.enabled) == (443, 60, False)


def encrypted(disk: Disk, plaintext: bytes) -> bytes:
    return b"n" * 12 + AESGCM(base64.b64decode(disk.read(KEY))).encrypt(b"n" * 12, plaintext, None)


@pytest.mark.parametrize(
    "plaintext",
    [b"{}", b"[", b"nonsense", b"[1]", b'[{"id":"a"}]', b"[" * 100_000, b"\xff",
     json.dumps([ONE.to_record(), ONE.to_record()]).encode()],
)  # fmt: skip
def test_content_that_is_no_list_of_connections_is_a_typed_error_and_stays(plaintext: bytes) -> None:
    disk = Disk("d")
    store = store_on(disk)
    data = encrypted(disk, plaintext)
    disk.write(FILE, data, 0o600)
    with pytest.raises(StoreDamaged) as caught:
        store.load()
    assert disk.read(FILE) == data
    assert "PSIM" not in str(caught.value)


@settings(deadline=None)
@given(at=st.integers(0, 10**6), flip=st.integers(1, 255), keep=st.integers(0, 10**6), cut=st.booleans())
def test_a_mutated_file_is_a_typed_error_and_is_left_alone(at: int, flip: int, keep: int, cut: bool) -> None:
    disk = Disk("d")
    store = store_on(disk)
    store.save([ONE])
    data = bytearray(disk.read(FILE))
    data[at % len(data)] ^= flip
    if cut:
        del data[1 + keep % (len(data) - 1) :]
    disk.write(FILE, bytes(data), 0o600)
    try:
        loaded = store.load()
    except StoreDamaged:
        assert disk.read(FILE) == bytes(data)
    else:
        assert loaded == ()
        assert not bytes(data).strip()


@pytest.mark.parametrize("key", [b"", b"short", b"!" * 44, base64.b64encode(b"k" * 31), base64.b64encode(b"k" * 32)])
def test_a_foreign_or_damaged_key_is_a_typed_error_and_both_files_stay(key: bytes) -> None:
    disk = Disk("d")
    store_on(disk).save([ONE])
    before = disk.read(FILE)
    disk.write(KEY, key, 0o600)
    with pytest.raises(StoreDamaged):
        store_on(disk).load()
    assert (disk.read(FILE), disk.read(KEY)) == (before, key)


def test_an_unchanged_file_is_decrypted_once() -> None:
    disk = Disk("d")
    store = store_on(disk)
    store.save([ONE])
    assert store_on(disk).load()[0] is not store.load()[0]
    assert store.load()[0] is store.load()[0]


def test_organisations_have_files_of_their_own() -> None:
    disk = Disk("d")
    store = store_on(disk)
    store.save([ONE])
    store.save([], "acme")
    assert store.orgs() == ("default", "acme")
    assert store.load("acme") == ()
    assert "/data/orgs/acme/truenas.enc" in disk.files()
