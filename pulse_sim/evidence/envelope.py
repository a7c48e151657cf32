"""``attestation.json``: a DSSE envelope over an in-toto test-result statement about a bundle's manifest (DESIGN 4.4).

Deterministic: the same manifest, result and key give the same bytes, and what is read must be written exactly so.
Knows nothing of files, and not whom to trust.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pulse_sim.canonical import Json, canonical_json, sha256_hex
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.names import ATTESTATION, MANIFEST
from pulse_sim.evidence.signing_key import SigningKey, is_signed, keyid_of
from pulse_sim.observation.strict_json import strict_json
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict

VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"


class Result(StrEnum):
    """The three words of the test-result predicate."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"


_OF_OUTCOME: Final = {
    Outcome.PASSED: Result.PASSED,
    Outcome.SKIPPED: Result.WARNED,
    Outcome.INCONCLUSIVE: Result.WARNED,
    Outcome.FAILED: Result.FAILED,
    Outcome.ERRORED: Result.FAILED,
}
_OF_VERDICT: Final = {
    Verdict.GO: Result.PASSED,
    Verdict.GO_WITH_CONDITIONS: Result.WARNED,
    Verdict.NO_GO: Result.FAILED,
}


@dataclass(frozen=True, slots=True)
class Attested:
    """What an envelope says: ``result`` of the bundle, signed by the owner of ``public`` (32 bytes)."""

    result: Result
    keyid: str
    public: bytes


def result_of(what: Outcome | Verdict) -> Result:
    """How a run's outcome or a verdict is told in a statement."""
    return _OF_OUTCOME[what] if isinstance(what, Outcome) else _OF_VERDICT[what]


def attest(manifest: bytes, configuration: tuple[str, str], result: Result, key: SigningKey) -> bytes:
    """The content of ``attestation.json``. ``configuration`` is the name and SHA-256 of what was to be done."""
    payload = _statement(manifest, configuration, result)
    signature = {
        "keyid": key.keyid,
        "publicKey": _base64(key.public),
        "sig": _base64(key.sign(pre_authentication_encoding(payload))),
    }
    return _envelope(payload, signature)


def read_attested(content: bytes, manifest: bytes, configuration: tuple[str, str]) -> Attested:
    """What an envelope about ``manifest`` says. Raises BundleDamaged unless it is written as this tool writes it, is
    about this manifest and is signed by the key it names.

    The key is in the envelope beside its digest (DSSE lets a producer add fields), so that a signature by somebody
    unknown can be told from a damaged one. That somebody signed says nothing yet of who that is.
    """
    try:
        raw = strict_json(content)
        signature = _only(raw["signatures"])
        payload, public, signed = (_bytes(text) for text in (raw["payload"], signature["publicKey"], signature["sig"]))
        keyid = keyid_of(public)
        expected = _envelope(payload, {**signature, "keyid": keyid})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleDamaged(ATTESTATION, "is no DSSE envelope with one signature as this tool writes it") from None
    if content != expected or signature.keys() != {"keyid", "publicKey", "sig"}:
        raise BundleDamaged(ATTESTATION, "is not written as this tool writes it (canonical JSON and base64, own keyid)")
    if not is_signed(public, signed, pre_authentication_encoding(payload)):
        raise BundleDamaged(ATTESTATION, "the signature is not that of the key it names")
    for result in Result:
        if payload == _statement(manifest, configuration, result):
            return Attested(result, keyid, public)
    raise BundleDamaged(ATTESTATION, f"is signed, but its statement is not about this {MANIFEST}")


def pre_authentication_encoding(payload: bytes) -> bytes:
    """What is signed: DSSE's PAE, version 1, of the payload and its type."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _statement(manifest: bytes, configuration: tuple[str, str], result: Result) -> bytes:
    name, sha256 = configuration
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": MANIFEST, "digest": {"sha256": sha256_hex(manifest)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"result": result.value, "configuration": [{"name": name, "digest": {"sha256": sha256}}]},
        }
    )


def _envelope(payload: bytes, signature: Mapping[str, Json]) -> bytes:
    envelope = {"payload": _base64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [dict(signature)]}
    return canonical_json(envelope) + b"\n"


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    """Canonical base64 only: whatever else decodes to the same bytes is another file."""
    data = b64decode(text)
    if _base64(data) != text:
        raise ValueError
    return data


def _only(items: Any) -> Mapping[str, Any]:
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise ValueError
    signature: Mapping[str, Any] = items[0]
    return signature
