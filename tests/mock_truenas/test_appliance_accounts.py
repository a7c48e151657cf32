"""Who may talk to a NAS: keys, users, second factors, tokens; and what an upgrade does to keys of before."""

import hashlib
import hmac
import random

import pytest

from mock_truenas.appliance.accounts import EVERYTHING, Accounts
from mock_truenas.appliance.otp import one_time_password
from mock_truenas.appliance.scram import ITERATIONS, derive
from tests.mock_truenas.nases import DAY, MINUTE, SECOND, START_NS, aged

READ_ONLY = (("GET", "/pool*"),)


def accounts() -> Accounts:
    return Accounts(random.Random(1).randbytes, "")


def test_why_a_key_is_refused_is_known_inside() -> None:
    nas = aged().nas
    key = nas.mint_api_key("pulse", username="backup")
    number, _, secret = key.partition("-")
    allowed = nas.check_api_key(key)
    assert (allowed.ok, allowed.username, set(allowed.roles), allowed.key_name) == (
        True,
        "backup",
        {"FULL_ADMIN"},
        "pulse",
    )
    asked = (f"7-{secret}", f"{number}-{secret[::-1]}", "nonsense", "9-x")
    assert [(nas.check_api_key(text).why, nas.check_api_key(text).key_id) for text in asked] == [
        ("unknown", 7),
        ("wrong", 1),
        ("unknown", None),
        ("unknown", 9),
    ]


def test_a_key_expires_by_the_clock() -> None:
    home = aged()
    key = home.nas.mint_api_key("pulse")
    found = home.nas.find_key(1)
    assert found is not None
    found.expires_at_ns = START_NS + DAY
    home.wait(DAY - 1)
    assert home.nas.check_api_key(key).ok
    home.wait(1)
    assert home.nas.check_api_key(key).why == "expired"


def test_a_revocation_is_taken_back_only_by_those_who_made_it() -> None:
    nas = aged().nas
    keys = [nas.mint_api_key(name) for name in ("pulse", "backup")]
    nas.revoke("p*", by="one")
    nas.revoke("*", by="two", reason="used in the clear")
    assert [nas.check_api_key(key).revoked_by for key in keys] == [("one", "two"), ("two",)]
    assert nas.state.revoked == {"pulse": "used in the clear", "backup": "used in the clear"}
    nas.restore("*", by="two")
    assert [nas.check_api_key(key).why for key in keys] == ["revoked", ""]
    nas.restore("*", by="one")
    assert nas.check_api_key(keys[0]).ok
    assert nas.state.revoked == {}


def test_a_renewed_key_is_another_under_the_same_number() -> None:
    nas = aged().nas
    old = nas.mint_api_key("pulse")
    nas.revoke("pulse")
    new = nas.accounts.renew_key(1)
    assert (nas.check_api_key(old).why, nas.check_api_key(new).ok) == ("wrong", True)
    assert new.partition("-")[2].startswith("PSIMSECRET")


def test_a_deleted_key_is_unknown() -> None:
    nas = aged().nas
    key = nas.mint_api_key("pulse")
    nas.accounts.delete_key(1)
    assert (nas.check_api_key(key).why, nas.find_key(1)) == ("unknown", None)


@pytest.mark.parametrize(("release", "refused"), [("24.10", False), ("25.04", True), ("25.10", True)])
def test_a_user_has_at_most_ten_keys_where_keys_belong_to_users(release: str, refused: bool) -> None:
    nas = aged("baseline", release).nas
    for number in range(10):
        nas.mint_api_key(f"key {number}", username="backup")
    nas.mint_api_key("another's", username="other")
    if refused:
        with pytest.raises(ValueError, match="backup has 10 API keys already; delete one first"):
            nas.mint_api_key("one too many", username="backup")
    else:
        nas.mint_api_key("eleventh", username="backup")


def test_an_upgrade_to_25_04_revokes_the_keys_that_were_limited() -> None:
    nas = aged("baseline", "24.10").nas
    limited = nas.mint_api_key("limited", allowlist=READ_ONLY)
    whole = nas.mint_api_key("whole", allowlist=EVERYTHING)
    nas.upgrade("25.04")
    assert (nas.check_api_key(limited).why, nas.check_api_key(whole).ok) == ("revoked", True)
    assert [alert.args for alert in nas.state.alerts.values()] == [{"key_name": "limited"}]
    assert (nas.release.name, nas.state.update.available) == ("25.04", None)


def test_an_upgrade_between_releases_with_roles_revokes_nothing() -> None:
    nas = aged("baseline", "25.04").nas
    key = nas.mint_api_key("limited", allowlist=READ_ONLY)
    nas.upgrade("25.10")
    assert nas.check_api_key(key).ok


# The test vectors of RFC 6238, appendix B, for SHA-1, without their first two digits.
@pytest.mark.parametrize(
    ("second", "password"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_one_time_passwords_are_those_of_the_standard(second: int, password: str) -> None:
    assert one_time_password(b"12345678901234567890", second * SECOND) == password


def test_a_second_factor_is_asked_of_those_who_have_one_and_forgives_half_a_minute() -> None:
    book = accounts()
    book.mint_password("root")
    assert book.check_otp("root", "anything", START_NS)
    secret = book.mint_otp_secret("root")
    now = one_time_password(secret, START_NS)
    assert [book.check_otp("root", now, START_NS + step * 30 * SECOND) for step in (-2, -1, 0, 1, 2)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert [book.check_otp("root", text, START_NS) for text in ("", "ä", now[:-1])] == [False] * 3
    assert not book.check_otp("nobody", now, START_NS)
    assert (book.users["root"].two_factor, book.check_password("root", "wrong").why) == (True, "wrong")


def test_a_token_lives_for_its_time_and_one_for_single_use_once() -> None:
    book = accounts()
    lasting = book.mint_token("root", 600, START_NS)
    single = book.mint_token("root", 600, START_NS, single_use=True)
    assert [book.check_token(token, START_NS + MINUTE).ok for token in (lasting, lasting, single, single)] == [
        True,
        True,
        True,
        False,
    ]
    assert book.check_token(lasting, START_NS + 600 * SECOND).why == "expired"
    assert book.check_token("x", START_NS).why == "unknown"


def test_scram_keys_verify_the_proof_of_a_client_that_knows_the_secret() -> None:
    kept = derive("secret", b"salt", 4096)
    salted = hashlib.pbkdf2_hmac("sha512", b"secret", b"salt", 4096)
    client_key = hmac.new(salted, b"Client Key", "sha512").digest()
    signature = hmac.new(kept.stored_key, b"the messages", "sha512").digest()
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    recovered = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
    assert hashlib.sha512(recovered).digest() == kept.stored_key
    assert hmac.new(salted, b"Server Key", "sha512").digest() == kept.server_key
    assert ITERATIONS == 500_000


def test_scram_keys_are_derived_once_and_anew_after_a_renewal() -> None:
    nas = aged().nas
    nas.mint_api_key("pulse")
    first = nas.accounts.scram_key(1, iterations=10)
    assert nas.accounts.scram_key(1, iterations=10) is first
    nas.accounts.renew_key(1)
    assert nas.accounts.scram_key(1, iterations=10).stored_key != first.stored_key


def test_nothing_that_is_printed_holds_a_secret() -> None:
    book = accounts()
    key = book.mint_api_key("pulse", None, EVERYTHING)
    secrets = [key.partition("-")[2], book.mint_password("root"), book.mint_token("root", 60, 0)]
    secret = book.mint_otp_secret("root")
    shown = repr(book) + repr(book.users) + repr(book.keys) + repr(book.check_api_key(key))
    assert [text for text in (*secrets, repr(secret)) if text in shown] == []


def test_who_may_log_in_has_a_row_and_the_roles_given_first() -> None:
    nas = aged("baseline", "25.10").nas
    nas.add_user("viewer", ["READONLY_ADMIN"])
    password = nas.mint_password("viewer")
    key = nas.mint_api_key("viewer's", username="viewer")
    assert {nas.check_password("viewer", password).roles, nas.check_api_key(key).roles} == {
        frozenset({"READONLY_ADMIN"})
    }
    named = [row for row in nas.state.tables["user"].values() if row["username"] == "viewer"]
    assert [row["roles"] for row in named] == [["READONLY_ADMIN"]]
    uids = [row["uid"] for row in nas.state.tables["user"].values()]
    assert len(set(uids)) == len(uids)
