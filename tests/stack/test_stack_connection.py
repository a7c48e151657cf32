"""Contract A1: connection records, their defaults, validation, duplicates and redaction."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.stack.connection import Connection, ConnectionInvalid, Redaction, read_connection

GOOD = {"id": "nas", "host": "nas.lan", "apiKey": "1-abc"}
PRINT = "ab" * 32


def read(**changes: Any) -> Connection:
    return read_connection({**GOOD, **changes})


def test_defaults() -> None:
    found = read()
    assert (found.use_https, found.enabled, found.poll_interval_s, found.port) == (True, True, 60, 0)
    assert (found.effective_port, read(useHttps=False).effective_port, read(port=8443).effective_port) == (
        443,
        80,
        8443,
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("NAS.Lan.", ("nas.lan", 443, True)),
        ("http://nas", ("nas", 80, False)),
        ("HTTPS://nas/", ("nas", 443, True)),
        ("nas:8443", ("nas", 8443, True)),
        ("http://nas:8080", ("nas", 8080, False)),
        ("192.0.2.7", ("192.0.2.7", 443, True)),
        ("2001:DB8::1", ("2001:db8::1", 443, True)),
        ("[2001:db8::1]:444", ("2001:db8::1", 444, True)),
        ("nas_1", ("nas_1", 443, True)),
    ],
)
def test_a_host_is_normalised_and_its_scheme_decides_tls(host: str, expected: tuple[str, int, bool]) -> None:
    found = read(host=host)
    assert (found.host, found.effective_port, found.use_https) == expected


@pytest.mark.parametrize(
    "host",
    ["", "  ", "ftp://nas", "nas/path", "nas?x=1", "user@nas", "http://user:pw@nas", "nas:0", "nas:99999", "nas:x",
     "-nas", "a..b", "256.1.1.1", "nas lan", "nas#x", "[::1", "[::1]x", "n\u00e4s", "x" * 300, None, 7],
)  # fmt: skip
def test_what_is_no_host_is_refused(host: Any) -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        read(host=host)
    assert "host" in caught.value.problems


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"apiKey": ""}, "apiKey"),
        ({"apiKey": "", "username": "root"}, "apiKey"),
        ({"apiKey": "1-a b"}, "apiKey"),
        ({"apiKey": "1-a\r\nHost: x"}, "apiKey"),
        ({"apiKey": 5}, "apiKey"),
        ({"port": 0.5}, "port"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"port": True}, "port"),
        ({"port": "443"}, "port"),
        ({"host": "nas:1", "port": 2}, "port"),
        ({"fingerprint": "ab"}, "fingerprint"),
        ({"fingerprint": "sha512:" + PRINT}, "fingerprint"),
        ({"pollIntervalSeconds": 3601}, "pollIntervalSeconds"),
        ({"pollIntervalSeconds": -1}, "pollIntervalSeconds"),
        ({"pollIntervalSeconds": 0}, "pollIntervalSeconds"),
        ({"port": 0}, "port"),
        ({"pollIntervalSeconds": 1.5}, "pollIntervalSeconds"),
        ({"enabled": "yes"}, "enabled"),
        ({"useHttps": 1}, "useHttps"),
        ({"id": "a/b"}, "id"),
        ({"id": ""}, "id"),
        ({"name": "x\x00"}, "name"),
    ],
)
def test_each_rule_is_refused_under_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        read(**changes)
    assert set(caught.value.problems) == {field}


def test_all_problems_are_reported_at_once_and_never_quote_a_secret() -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        read(host="/", port=0.1, apiKey="PSIM SECRET")
    assert set(caught.value.problems) == {"host", "port", "apiKey"}
    assert "PSIM" not in str(caught.value)


@pytest.mark.parametrize("text", [PRINT, PRINT.upper(), "sha256:" + PRINT, "SHA256:" + ":".join(["AB"] * 32)])
def test_a_fingerprint_may_have_colons_and_a_prefix(text: str) -> None:
    assert read(fingerprint=text).fingerprint == PRINT


def test_user_name_and_password_replace_the_key_and_the_alias_is_read() -> None:
    assert read(apiKey="", username="root", password=" pw ").password == " pw "
    assert read_connection({"id": "n", "host": "h", "api_key": "1-x"}).api_key == "1-x"


@pytest.mark.parametrize(
    ("one", "other", "duplicate"),
    [
        ({}, {"name": "other", "enabled": False}, True),
        ({"host": "NAS.lan"}, {"host": "nas.lan."}, True),
        ({}, {"port": 443}, True),
        ({"useHttps": False}, {"port": 80, "useHttps": False}, True),
        ({}, {"username": "root"}, False),
        ({}, {"port": 8443}, False),
        ({}, {"host": "nas2.lan"}, False),
    ],
)
def test_duplicates_share_host_port_and_user_name(one: dict[str, Any], other: dict[str, Any], duplicate: bool) -> None:
    assert (read(**one).endpoint == read(**other).endpoint) is duplicate


def test_redaction_masks_what_is_set_and_nothing_shows_in_a_repr() -> None:
    found = read(password="PSIMpw", username="root", extra={"apiKey2": "PSIMx"})
    shown = Redaction().record(found)
    assert (shown["apiKey"], shown["password"]) == ("********", "********")
    assert Redaction().record(read())["password"] == ""
    assert "PSIM" not in repr(found) + repr(shown)
    assert "1-abc" not in repr(found)


def test_a_record_reads_back_as_itself_with_keys_of_other_versions() -> None:
    found = read(monitorApps=True, port=8443, fingerprint=PRINT)
    assert read_connection(found.to_record()) == found
    assert found.to_record()["monitorApps"] is True


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*read().to_record(), "api_key"]), st.none() | st.booleans() | st.integers()
                       | st.floats() | st.text() | st.lists(st.text())))  # fmt: skip
def test_no_record_raises_anything_but_its_problems(record: dict[str, Any]) -> None:
    try:
        found = read_connection({**GOOD, **record})
    except ConnectionInvalid as invalid:
        assert invalid.problems
    else:
        assert read_connection(found.to_record()) == found
