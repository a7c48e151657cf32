"""The attestation: one DSSE envelope for one manifest, result and key, and nothing that merely means the same."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pulse_sim.canonical import canonical_json, sha256_hex
from pulse_sim.evidence.envelope import Result, attest, read_attested, result_of
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.signing_key import SigningKey
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict
from tests.evidence.keys import key_named

MANIFEST = b'{"files":{},"kind":"run","version":1}\n'
CONFIGURATION = ("scenario.yaml", "5" * 64)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return key_named(tmp_path, "signer")


@pytest.fixture
def content(key: SigningKey) -> bytes:
    return attest(MANIFEST, CONFIGURATION, Result.PASSED, key)


def test_the_same_manifest_result_and_key_give_the_same_bytes(content: bytes, key: SigningKey) -> None:
    assert attest(MANIFEST, CONFIGURATION, Result.PASSED, key) == content
    assert attest(MANIFEST, CONFIGURATION, Result.WARNED, key) != content


def test_the_statement_is_the_in_toto_test_result_of_the_manifest(content: bytes, key: SigningKey) -> None:
    envelope = json.loads(content)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert json.loads(b64decode(envelope["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "manifest.json", "digest": {"sha256": sha256_hex(MANIFEST)}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "PASSED",
            "configuration": [{"name": "scenario.yaml", "digest": {"sha256": "5" * 64}}],
        },
    }
    assert envelope["signatures"][0]["keyid"] == key.keyid


def test_anybody_with_a_dsse_library_verifies_the_signature(content: bytes, key: SigningKey) -> None:
    envelope = json.loads(content)
    payload, kind = b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b"DSSEv1 " + b" ".join([str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    signature = b64decode(envelope["signatures"][0]["sig"])
    Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)


def test_it_is_read_back(content: bytes, key: SigningKey) -> None:
    attested = read_attested(content, MANIFEST, CONFIGURATION)
    assert (attested.result, attested.keyid, attested.public) == (Result.PASSED, key.keyid, key.public)


@pytest.mark.parametrize(
    ("what", "result"),
    [
        (Outcome.PASSED, "PASSED"),
        (Outcome.SKIPPED, "WARNED"),
        (Outcome.INCONCLUSIVE, "WARNED"),
        (Outcome.FAILED, "FAILED"),
        (Outcome.ERRORED, "FAILED"),
        (Verdict.GO, "PASSED"),
        (Verdict.GO_WITH_CONDITIONS, "WARNED"),
        (Verdict.NO_GO, "FAILED"),
    ],
)
def test_only_passed_and_go_are_told_as_passed(what: Outcome | Verdict, result: str) -> None:
    assert result_of(what) == result


def test_one_for_another_manifest_or_configuration_is_refused(content: bytes) -> None:
    for manifest, configuration in ((MANIFEST + b" ", CONFIGURATION), (MANIFEST, ("plan.yaml", "5" * 64))):
        with pytest.raises(BundleDamaged, match="not about this manifest"):
            read_attested(content, manifest, configuration)


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda envelope: envelope["signatures"][0].__setitem__(name, value)


SLIPS: dict[str, Callable[[dict[str, Any]], None]] = {
    "another keyid": _set("keyid", "0" * 64),
    "no keyid": lambda envelope: envelope["signatures"][0].pop("keyid"),
    "one field more": _set("cert", ""),
    "a key that is none": _set("publicKey", "AAAA"),
    "no signature": _set("sig", ""),
    "the signature in base64 with a line end": lambda envelope: _set("sig", envelope["signatures"][0]["sig"] + "\n")(
        envelope
    ),
    "the signature in base64 of another padding": lambda envelope: _set(
        "sig", _unused_bits_set(envelope["signatures"][0]["sig"])
    )(envelope),
    "a signature that is no text": _set("sig", 7),
    "two signatures": lambda envelope: envelope["signatures"].append(dict(envelope["signatures"][0])),
    "none": lambda envelope: envelope["signatures"].clear(),
    "another payload type": lambda envelope: envelope.__setitem__("payloadType", "application/json"),
    "another payload": lambda envelope: envelope.__setitem__("payload", b64encode(b"{}").decode()),
    "one member more": lambda envelope: envelope.__setitem__("more", 1),
}


NO_ENVELOPE = "is no DSSE envelope with one signature as this tool writes it"
OTHERWISE = "is not written as this tool writes it (canonical JSON and base64, own keyid)"
NOT_SIGNED = "the signature is not that of the key it names"
TOLD = {
    "another keyid": OTHERWISE,
    "no keyid": OTHERWISE,
    "one field more": OTHERWISE,
    "another payload type": OTHERWISE,
    "one member more": OTHERWISE,
    "no signature": NOT_SIGNED,
    "another payload": NOT_SIGNED,
    "a key that is none": OTHERWISE,
}


def _unused_bits_set(text: str) -> str:
    """64 bytes end in two unused groups of bits: other characters there decode to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    other = body[:-1] + alphabet[alphabet.index(body[-1]) ^ 1]
    assert b64decode(other + "==") == b64decode(text)
    return other + "=="


@pytest.mark.parametrize("slip", SLIPS)
def test_an_envelope_that_is_otherwise_is_refused(content: bytes, slip: str) -> None:
    envelope = json.loads(content)
    SLIPS[slip](envelope)
    with pytest.raises(BundleDamaged) as refusal:
        read_attested(canonical_json(envelope) + b"\n", MANIFEST, CONFIGURATION)
    assert str(refusal.value) == f"attestation.json: {TOLD.get(slip, NO_ENVELOPE)}"


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda content: content[:-1],
        lambda content: content + b"\n",
        lambda content: content.replace(b'":"', b'": "', 1),
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: content.replace(b"{", b'{"payload":"",', 1),
        lambda content: b"[" * 100_000,
        lambda content: b"NaN",
        lambda content: b"[]",
        lambda content: b'{"signatures":[{}]}',
        lambda content: b"",
    ],
    ids=["no line end", "two", "a space", "a byte order mark", "a key twice", "deep", "NaN", "list", "bare", "empty"],
)
def test_the_same_in_other_bytes_is_refused(content: bytes, rewrite: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BundleDamaged, match=r"attestation\.json"):
        read_attested(rewrite(content), MANIFEST, CONFIGURATION)


def test_a_statement_of_another_kind_is_refused_though_it_is_signed(key: SigningKey, content: bytes) -> None:
    statement = json.loads(b64decode(json.loads(content)["payload"]))
    for change in ({"result": "EXCELLENT"}, {"result": "PASSED", "passedTests": []}):
        payload = canonical_json({**statement, "predicate": {**statement["predicate"], **change}})
        kind = b"application/vnd.in-toto+json"
        signed = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
        envelope = json.loads(content)
        envelope["payload"] = b64encode(payload).decode()
        envelope["signatures"][0]["sig"] = b64encode(signed).decode()
        with pytest.raises(BundleDamaged, match="not about this manifest"):
            read_attested(canonical_json(envelope) + b"\n", MANIFEST, CONFIGURATION)
