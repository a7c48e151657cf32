"""Contract A1: the encrypted store, bit for bit, on the simulated disk and on a real one alike."""

import base64
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pulse_sim.stack.connection import Connection
from pulse_sim.stack.store import Damage, StoreDamaged
from tests.stack.storebed import ONE, Place, plaintext, real, simulated


@pytest.fixture(params=["simulated", "real"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return simulated() if request.param == "simulated" else real(tmp_path)


def damage_of(place: Place) -> Damage:
    """What a start on these files and a load say is wrong; all files stay as they are."""
    before = place.files()
    store = place.unopened(seed=2)
    with pytest.raises(StoreDamaged) as caught:
        store.load()
    with pytest.raises(StoreDamaged):
        store.save([ONE])
    assert place.files() == before
    return caught.value.damage


def test_the_file_is_nonce_ciphertext_tag_of_a_json_array_and_nothing_else(place: Place) -> None:
    place.store().save([ONE])
    data, key = place.disk.read(place.file), base64.b64decode(place.disk.read(place.key), validate=True)
    text = AESGCM(key).decrypt(data[:12], data[12:], None)
    assert len(data) == 12 + len(text) + 16
    assert json.loads(text) == [ONE.to_record()]
    assert set(json.loads(text)[0]) == {
        "id", "name", "host", "port", "apiKey", "username", "password", "useHttps", "insecureSkipVerify",
        "fingerprint", "enabled", "pollIntervalSeconds",
    }  # fmt: skip


def test_what_another_program_wrote_in_this_format_is_loaded(place: Place) -> None:
    place.store()
    data = place.encrypted(json.dumps([{"id": "a", "host": "a.lan", "apiKey": "1-x", "future": [0]}]).encode())
    place.put(place.file, data)
    (found,) = place.store().load()
    assert (found.id, found.host, found.enabled, found.use_https) == ("a", "a.lan", True, True)
    assert place.disk.read(place.file) == data


def test_what_this_version_does_not_know_is_written_back(place: Place) -> None:
    store = place.store()
    record = {**ONE.to_record(), "future": {"zero": 0, "list": [None, 1.5]}, "flag": 0}
    place.put(place.file, place.encrypted(json.dumps([record]).encode()))
    store.save([replace(each, name="new") for each in store.load()])
    assert place.decrypted() == [{**record, "name": "new"}]


def test_the_key_is_made_once_with_its_modes(place: Place) -> None:
    place.store().save([])
    first = place.disk.read(place.key)
    place.store(seed=2)
    assert place.disk.read(place.key) == first
    assert len(base64.b64decode(first, validate=True)) == 32
    modes = [place.disk.mode(path) for path in (place.key, place.file, place.data_dir)]
    assert modes == [0o600, 0o600, 0o700]


def test_what_is_open_to_others_is_closed_again_and_says_so(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.store().save([ONE])
    place.store().save([ONE], "acme")
    before = place.files()
    opened = (place.data_dir, place.key, place.file, f"{place.data_dir}/orgs/acme")
    for path in opened:
        place.disk.set_mode(path, place.disk.mode(path) | 0o055)
    with caplog.at_level(logging.WARNING, "pulse.store"):
        assert place.store().load() == (ONE,)
    assert [place.disk.mode(path) for path in opened] == [0o700, 0o600, 0o600, 0o700]
    assert [record.getMessage() for record in caplog.records] == [
        "data directory was open to others: now 0700",
        "orgs/acme was open to others: now 0700",
        ".encryption.key was open to others: now 0600",
        "truenas.enc was open to others: now 0600",
    ]
    assert place.files() == before


def test_what_was_saved_is_loaded_by_the_next_process_and_nothing_else_is_left(place: Place) -> None:
    place.store().save([ONE])
    assert place.store().load() == (ONE,)
    assert sorted(place.files()) == [".encryption.key", "truenas.enc"]


def test_every_save_has_a_nonce_of_its_own(place: Place) -> None:
    store = place.store()
    nonces = set()
    for _ in range(20):
        store.save([ONE])
        nonces.add(place.disk.read(place.file)[:12])
    assert len(nonces) == 20


@pytest.mark.parametrize("content", [None, b"", b"  \n"])
def test_a_missing_or_empty_file_is_no_connections_and_may_be_written(place: Place, content: bytes | None) -> None:
    store = place.store()
    store.save([ONE])
    place.disk.remove(place.file)
    if content is not None:
        place.put(place.file, content)
    assert store.load() == ()
    store.save([ONE])
    assert place.store().load() == (ONE,)


def test_an_unchanged_file_is_decrypted_once(place: Place) -> None:
    store = place.store()
    store.save([ONE])
    assert place.store().load()[0] is not store.load()[0]
    assert store.load()[0] is store.load()[0]


def test_organisations_have_files_of_their_own(place: Place) -> None:
    store = place.store()
    store.save([ONE])
    store.save([], "acme")
    assert store.orgs() == ("default", "acme")
    assert (store.load("acme"), store.load()) == ((), (ONE,))
    assert place.decrypted(f"{place.data_dir}/orgs/acme/truenas.enc") == []


# ---- plaintext


def test_a_plaintext_array_is_read_and_rewritten_encrypted(place: Place) -> None:
    store = place.store()
    place.put(place.file, plaintext([ONE]), 0o644)
    assert store.load() == (ONE,)
    assert place.decrypted() == [ONE.to_record()]
    assert place.disk.mode(place.file) == 0o600
    assert place.store().load() == (ONE,)


def test_a_data_directory_seeded_with_plaintext_before_the_first_start_gets_its_key(place: Place) -> None:
    place.disk.make_directory(place.data_dir, 0o700)
    place.put(place.file, plaintext([ONE]))
    assert place.store().load() == (ONE,)
    assert place.decrypted() == [ONE.to_record()]


def test_numbers_that_pulse_wrote_as_zero_are_not_set(place: Place) -> None:
    store = place.store()
    record = {**ONE.to_record(), "port": 0, "pollIntervalSeconds": 0, "enabled": False}
    place.put(place.file, json.dumps([record]).encode())
    (found,) = store.load()
    assert (found.effective_port, found.poll_interval_s, found.enabled) == (443, 60, False)


def test_plaintext_that_cannot_be_encrypted_stays_and_is_polled_all_the_same(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    store = place.store()
    key = place.disk.read(place.key)
    place.put(place.key, b"broken")
    place.put(place.file, plaintext([ONE]))
    before = place.files()
    assert [store.load() for _ in range(3)] == [(ONE,)] * 3
    assert place.files() == before
    assert len([record for record in caplog.records if "could not be encrypted" in record.getMessage()]) == 1
    place.put(place.key, key)
    assert store.load() == (ONE,)
    assert place.decrypted() == [ONE.to_record()]


# ---- damage


@pytest.mark.parametrize(
    "text",
    [b"{}", b"[", b"nonsense", b"[1]", b'[{"id":"a"}]', b"[" * 100_000, b"\xff", b"null", b"",
     plaintext([ONE, ONE]),
     plaintext([ONE]).replace(b'"enabled"', b'"id": "other", "enabled"'),
     plaintext([ONE]).replace(b'"name"', b'"future": NaN, "name"'),
     plaintext([ONE]).replace(b'"name"', b'"future": 1e999, "name"'),
     plaintext([ONE]).replace(b'"name"', b'"future": ' + b"[" * 100 + b"]" * 100 + b', "name"'),
     plaintext([ONE]).replace(b'"name"', b'"future": ' + b"9" * 5000 + b', "name"')],
    ids=range(15),
)  # fmt: skip
def test_content_that_could_not_be_written_back_is_a_typed_error_and_stays(place: Place, text: bytes) -> None:
    place.store()
    place.put(place.file, place.encrypted(text))
    assert damage_of(place) is Damage.CONTENT
    if text.startswith(b"["):
        place.put(place.file, text)
        assert damage_of(place) is Damage.CONTENT


@pytest.mark.parametrize("key", [b"", b"short", b"!" * 44, base64.b64encode(b"k" * 31), b"\0" * 44])
def test_a_damaged_key_is_a_typed_error_and_both_files_stay(place: Place, key: bytes) -> None:
    place.store().save([ONE])
    place.put(place.key, key)
    assert damage_of(place) is Damage.KEY_DAMAGED
    with pytest.raises(StoreDamaged):
        place.store()
    assert place.disk.read(place.key) == key


@pytest.mark.parametrize("cut", [0, 12, 27, 28, 40])
def test_a_foreign_key_or_a_damaged_file_is_a_typed_error(place: Place, cut: int) -> None:
    place.store().save([ONE])
    data = place.disk.read(place.file)
    place.put(place.file, data[:-1] + bytes([data[-1] ^ 1]) if not cut else data[:cut])
    assert damage_of(place) is Damage.UNDECRYPTABLE
    place.put(place.file, data)
    place.put(place.key, base64.b64encode(b"k" * 32))
    assert damage_of(place) is Damage.UNDECRYPTABLE


def test_a_lost_key_is_not_replaced_while_something_is_encrypted_with_it(place: Place) -> None:
    store = place.store()
    store.save([ONE])
    key = place.disk.read(place.key)
    place.disk.remove(place.key)
    assert damage_of(place) is Damage.KEY_MISSING
    with pytest.raises(StoreDamaged):
        place.store()
    assert ".encryption.key" not in place.files()
    place.put(place.key, key)
    assert place.store().load() == (ONE,)
    place.disk.remove(place.key)
    place.disk.remove(place.file)
    place.store().save([ONE])
    assert place.decrypted() == [ONE.to_record()]


def test_nothing_is_saved_over_a_file_that_changed_since_it_was_loaded(place: Place) -> None:
    mine, theirs = place.store(), place.store(seed=2)
    mine.load()
    theirs.save([ONE])
    with pytest.raises(StoreDamaged) as caught:
        mine.save([])
    assert caught.value.damage is Damage.CHANGED
    assert mine.load() == (ONE,)
    mine.save([])
    assert theirs.load() == ()
    assert sorted(place.files()) == [".encryption.key", "truenas.enc"]


def test_nothing_is_saved_over_a_file_that_was_removed_since_it_was_loaded(place: Place) -> None:
    store = place.store()
    store.save([ONE])
    place.disk.remove(place.file)
    with pytest.raises(StoreDamaged):
        store.save([ONE, replace(ONE, id="two")])
    assert store.load() == ()


def test_a_writer_who_keeps_the_lock_makes_the_others_give_up(place: Place) -> None:
    store = place.store()
    store.save([ONE])
    with place.disk.lock(place.data_dir), pytest.raises(StoreDamaged) as caught:
        store.save([])
    assert caught.value.damage is Damage.BUSY
    assert store.load() == (ONE,)
    store.save([])


def test_no_secret_is_part_of_an_error_or_of_what_hangs_on_it(place: Place) -> None:
    place.store()
    for text in (plaintext([replace(ONE, host="PSIM secret host")]), plaintext([ONE])[:-1], plaintext([ONE, ONE])):
        place.put(place.file, place.encrypted(text))
        with pytest.raises(StoreDamaged) as caught:
            place.store().load()
        error: BaseException | None = caught.value
        while error is not None:
            assert "PSIM" not in f"{error!r} {vars(error)}"
            error = error.__context__


def test_a_connection_shows_no_secret() -> None:
    whole = Connection(id="a", host="b", api_key="PSIM1", password="PSIM2", unknown=(("token", "PSIM3"),))
    assert "PSIM" not in f"{whole!r} {whole}"
