"""Whether a bundle is whole: sizes, then hashes, then the signature, and nothing of its documents parsed.

Knows nothing of whom to trust and nothing of what the files mean.
"""

from dataclasses import dataclass
from pathlib import Path

from pulse_sim.evidence.envelope import MAX_BYTES, Attested, read_attested
from pulse_sim.evidence.hostile import BundleDamaged, read_document
from pulse_sim.evidence.manifest import Manifest
from pulse_sim.evidence.names import ATTESTATION


@dataclass(frozen=True, slots=True)
class Integrity:
    """``attested`` is None when the attestation is damaged or something above it is; ``damages`` is empty otherwise."""

    manifest: Manifest
    attested: Attested | None
    damages: tuple[BundleDamaged, ...]


def examine(root: Path) -> Integrity:
    """Hold the files below ``root`` to the manifest, and the manifest to its attestation.

    Raises BundleDamaged when the manifest is missing or none.
    """
    manifest = Manifest.read(root)
    damages = manifest.damages(root)
    attested = None
    try:
        content = read_document(root, ATTESTATION, limit=MAX_BYTES)
        attested = read_attested(content, manifest.encode(), manifest.configuration())
    except BundleDamaged as damage:
        damages.append(damage)
    return Integrity(manifest, None if damages else attested, tuple(damages))
