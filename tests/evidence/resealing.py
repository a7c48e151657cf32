"""A bundle changed by hand and sealed again, so that a test reaches what lies behind sizes, hashes and signature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulse_sim.evidence import Manifest
from pulse_sim.evidence.envelope import Result, attest
from pulse_sim.evidence.signing_key import SigningKey, signing_key


def reseal(
    copy: Path,
    *,
    key: SigningKey | None = None,
    result: Result = Result.PASSED,
    inputs: Mapping[str, Any] | None = None,
) -> None:
    """Make every manifest of a bundle agree with its files and sign it, with ``key`` or with that of the tests.

    ``inputs`` replace what the manifest of the bundle itself (not of the runs in it) says.
    """
    for root in sorted(path.parent for path in (copy / "runs").glob("*/manifest.json")):
        _reseal(root, key, result, {})
    _reseal(copy, key, result, inputs or {})


def _reseal(root: Path, key: SigningKey | None, result: Result, inputs: Mapping[str, Any]) -> None:
    old = Manifest.read(root)
    manifest = Manifest.measured(root, old.kind, {**old.inputs, **inputs})
    content = manifest.encode()
    (root / "manifest.json").write_bytes(content)
    attestation = attest(content, manifest.configuration(), result, key or signing_key())
    (root / "attestation.json").write_bytes(attestation)
