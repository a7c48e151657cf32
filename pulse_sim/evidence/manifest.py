"""``manifest.json``: the inputs of a bundle and the SHA-256 and size of every other file in it.

It is verified before anything else of a bundle is parsed. Knows nothing of signatures; they are made over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import Json, canonical_json
from pulse_sim.evidence.hostile import BundleDamaged, files_below, measure, read_document, read_json, size_of
from pulse_sim.evidence.names import ATTESTATION, CATALOGUE, MANIFEST, PLAN, SCENARIO

VERSION: Final = 1
KINDS: Final[Mapping[str, str]] = {"run": SCENARIO, "verdict": PLAN, "gate": CATALOGUE}
"""Every kind of bundle, and the file in it that says what was to be done."""
ABOVE: Final = (MANIFEST, ATTESTATION)
"""What a manifest cannot list: itself, and what is signed over it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """``inputs`` is plain JSON: package version, digests, seed, schema versions. ``files``: path → (sha256, bytes)."""

    kind: str
    inputs: Mapping[str, Json]
    files: Mapping[str, tuple[str, int]]

    def encode(self) -> bytes:
        """Canonical JSON with a newline."""
        files: dict[str, Json] = {
            name: {"sha256": sha256, "bytes": size} for name, (sha256, size) in sorted(self.files.items())
        }
        return canonical_json({**self.inputs, "version": VERSION, "kind": self.kind, "files": files}) + b"\n"

    @classmethod
    def measured(cls, root: Path, kind: str, inputs: Mapping[str, Json]) -> "Manifest":
        """The manifest of the files that lie below ``root`` now."""
        return cls(kind, inputs, {name: measure(root, name) for name in files_below(root) if name not in ABOVE})

    @classmethod
    def read(cls, root: Path) -> "Manifest":
        """The manifest of a bundle. Raises BundleDamaged when it is missing or not of version 1's shape."""
        raw = read_json(root, MANIFEST)
        if not isinstance(raw, dict) or type(raw.get("version")) is not int or raw["version"] != VERSION:
            raise BundleDamaged(MANIFEST, f"is not a manifest of version {VERSION}")
        kind, files = raw.get("kind"), raw.get("files")
        if not isinstance(kind, str) or kind not in KINDS or not isinstance(files, dict):
            raise BundleDamaged(MANIFEST, "names no known kind of bundle or no files")
        inputs = {name: value for name, value in raw.items() if name not in ("version", "kind", "files")}
        manifest = cls(kind, inputs, {name: _file(name, value) for name, value in files.items()})
        if manifest.encode() != read_document(root, MANIFEST):
            raise BundleDamaged(MANIFEST, "is not written as this tool writes it (canonical JSON and a newline)")
        return manifest

    def configuration(self) -> tuple[str, str]:
        """Name and SHA-256 of the file that says what was to be done. Raises BundleDamaged when none is listed."""
        name = KINDS[self.kind]
        if name not in self.files:
            raise BundleDamaged(MANIFEST, f"lists no {name}")
        return name, self.files[name][0]

    def disagreements(self, document: str, recorded: Mapping[str, Json]) -> list[BundleDamaged]:
        """Inputs that say something else than ``document``, whose content is ``recorded``, does."""
        return [
            BundleDamaged(MANIFEST, f"says another {name} than {document}")
            for name in ("scenario", "plan", "seed", "trace_digest", "outcome_digest")
            if name in recorded and recorded[name] != self.inputs.get(name)
        ]

    def damages(self, root: Path) -> list[BundleDamaged]:
        """Every file that is missing, extra, or of another size or content than the manifest says."""
        try:
            present = set(files_below(root)) - {*ABOVE}
        except BundleDamaged as damage:
            return [damage]
        found = [BundleDamaged(name, "is not in the manifest") for name in sorted(present - self.files.keys())]
        for name, (sha256, size) in sorted(self.files.items()):
            if name not in present:
                found.append(BundleDamaged(name, "is missing"))
                continue
            try:
                has = size_of(root, name)  # nothing is read that has not the size it should have
                if has != size:
                    found.append(BundleDamaged(name, f"has {has} bytes, the manifest says {size}"))
                elif measure(root, name) != (sha256, size):
                    found.append(BundleDamaged(name, "has other content than the manifest says (SHA-256 differs)"))
            except BundleDamaged as damage:
                found.append(damage)
        return found


def _file(name: str, value: Any) -> tuple[str, int]:
    if not isinstance(value, dict) or value.keys() != {"sha256", "bytes"}:
        raise BundleDamaged(MANIFEST, f"says of {name[:200]!r} something else than sha256 and bytes")
    sha256, size = value["sha256"], value["bytes"]
    if not isinstance(sha256, str) or type(size) is not int or size < 0:
        raise BundleDamaged(MANIFEST, f"gives {name[:200]!r} a digest or size of the wrong type")
    return sha256, size
