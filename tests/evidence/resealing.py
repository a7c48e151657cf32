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
    results: Mapping[str, Result] | None = None,
    inputs: Mapping[str, Any] | None = None,
    runs_too: bool = True,
) -> None:
    """Make every manifest of a bundle agree with its files and sign it, with ``key`` or with that of the tests.

    ``result`` is signed for the bundle, ``results`` for the runs in it by name, PASSED where none is given; ``inputs``
    replace what the manifest of the bundle itself says. Without ``runs_too`` the runs in it stay as they are.
    """
    for root in sorted(path.parent for path in (copy / "runs").glob("*/manifest.json")) if runs_too else ():
        _reseal(root, key, (results or {}).get(root.name, Result.PASSED), {})
    _reseal(copy, key, result, inputs or {})


def _reseal(root: Path, key: SigningKey | None, result: Result, inputs: Mapping[str, Any]) -> None:
    old = Manifest.read(root)
    manifest = Manifest.measured(root, old.kind, {**old.inputs, **inputs})
    content = manifest.encode()
    (root / "manifest.json").write_bytes(content)
    attestation = attest(content, manifest.configuration(), result, key or signing_key())
    (root / "attestation.json").write_bytes(attestation)
