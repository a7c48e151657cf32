"""Whether a bundle is what its signer left, and whether that signer is one we trust. Fails closed.

In this order: sizes, hashes, signatures, and only then the documents, judged again from the log. It runs no command and
imports nothing a bundle names. That a bundle is trusted says who sealed it, not that they ran honest code.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pulse_sim.evidence.envelope import Attested, result_of
from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.integrity import Integrity, examine
from pulse_sim.evidence.names import ATTESTATION, LATEST, MANIFEST, REPEATS, RUNS
from pulse_sim.evidence.recheck import Difference, NotABundle, Recheck, recheck
from pulse_sim.evidence.signing_key import PUBLISHED_TEST_KEYID, keyid_of
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict

TOLD_AT_MOST: Final = 50


class Standing(StrEnum):
    """What a bundle is to whom asked."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Verification:
    """``reasons``: why it is not trusted or not whole. ``found`` is None when it was not judged again."""

    path: Path
    standing: Standing
    kind: str
    keyid: str | None
    reasons: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    found: Recheck | None = None


def bundles_in(path: Path) -> list[Path]:
    """``path`` when it is a bundle, and else the bundles in it (a verdict's ``runs``), sorted.

    Raises NotABundle when there is none. Once there is one, every directory beside it has to be one: a bundle that
    lost its manifest does not slip away.
    """
    if not path.is_dir():
        raise NotABundle(f"{path} is not a directory")
    if os.path.lexists(path / MANIFEST):
        return [path]
    try:
        inside = sorted(item for item in path.iterdir() if item.is_dir() and _counts(item))
    except OSError as error:
        raise NotABundle(f"{path} cannot be read: {error.strerror}") from None
    if not any(os.path.lexists(item / MANIFEST) for item in inside):
        raise NotABundle(f"{path} has no {MANIFEST}, and no directory in it has one")
    return inside


def verify_bundle(bundle: Path, trusted: Collection[bytes]) -> Verification:
    """Verify the bundle of a run, a verdict or a gate, and the runs in it. ``trusted`` are public keys (32 bytes each).

    The published test key is never trusted, whatever ``trusted`` says. Damage of any kind is an answer, no exception.
    """
    try:
        return _verified(bundle.resolve(), trusted)
    except BundleDamaged as damage:
        return _damaged(bundle, None, [str(damage)])
    except Exception as error:  # what could not even be judged is never trusted, whatever it was that failed
        return _damaged(bundle, None, [f"the bundle cannot be judged: {type(error).__name__}"])


def _verified(root: Path, trusted: Collection[bytes]) -> Verification:
    outer = examine(root)
    if outer.attested is None:
        return _damaged(root, outer, [str(damage) for damage in outer.damages])
    inner = {place: examine(root / place) for place in _runs_of(outer)}
    damages = [f"{place}/{damage}" for place, one in inner.items() for damage in one.damages]
    if damages:
        return _damaged(root, outer, damages)
    found = recheck(root)
    damages = [*found.damages, *_contradictions(root, outer.attested, inner, found)]
    if not found.is_intact or damages:
        return _damaged(root, outer, damages, found)
    reasons = tuple(_distrusted(outer, inner, trusted))
    standing = Standing.UNTRUSTED if reasons else Standing.TRUSTED
    return Verification(root, standing, outer.manifest.kind, outer.attested.keyid, reasons, (), found)


def _runs_of(outer: Integrity) -> list[str]:
    """Every directory of runs in a bundle; one without a manifest fails when it is examined."""
    parts = (name.split("/") for name in outer.manifest.files)
    return sorted({f"{part[0]}/{part[1]}" for part in parts if part[0] in (RUNS, REPEATS) and len(part) > 2})


def _contradictions(root: Path, attested: Attested, inner: dict[str, Integrity], found: Recheck) -> Iterator[str]:
    """Where a statement says something else than what was signed comes to."""
    yield from _contradiction(ATTESTATION, attested, found.verdict or found.outcome)
    known = {f"{RUNS}/{run.run}": run.outcome for run in found.runs} if found.kind != "run" else {}
    for place, one in inner.items():
        outcome = known.get(place)
        if outcome is None:  # a run the verdict does not rest on is held to its own evidence
            alone = recheck(root / place)
            outcome = alone.outcome
            yield from (f"{place}/{damage}" for damage in alone.damages)
            yield from (f"{place}/{one.place}: is not what its evidence comes to" for one in alone.differences)
        assert one.attested is not None
        yield from _contradiction(f"{place}/{ATTESTATION}", one.attested, outcome)


def _contradiction(place: str, attested: Attested, what: Outcome | Verdict | None) -> Iterator[str]:
    if what is None or attested.result is not result_of(what):
        yield f"{place}: says {attested.result}, the evidence comes to {what}"


def _distrusted(outer: Integrity, inner: dict[str, Integrity], trusted: Collection[bytes]) -> Iterator[str]:
    """Why not to trust the signers: one line for each key, naming the first place it signed."""
    known = {keyid_of(public) for public in trusted} - {PUBLISHED_TEST_KEYID}
    told = set()
    for place, one in (("the bundle", outer), *inner.items()):
        assert one.attested is not None
        keyid = one.attested.keyid
        if keyid in known or keyid in told:
            continue
        told.add(keyid)
        whose = "the published test key, which everybody has" if keyid == PUBLISHED_TEST_KEYID else "an unknown key"
        yield f"{place} is signed by {whose} (keyid {keyid})"


def _damaged(root: Path, outer: Integrity | None, reasons: list[str], found: Recheck | None = None) -> Verification:
    kind = outer.manifest.kind if outer is not None else "bundle"
    differences = () if found is None else found.differences
    told = reasons[:TOLD_AT_MOST]
    if len(reasons) > TOLD_AT_MOST:
        told.append(f"and {len(reasons) - TOLD_AT_MOST} more")
    return Verification(root, Standing.DAMAGED, kind, None, tuple(told), differences, found)


def _counts(directory: Path) -> bool:
    """No bundle's name is hidden: what is being written or resumed is; nor is the link to the newest another one."""
    is_latest = directory.name == LATEST and directory.is_symlink()
    return not is_latest and not directory.name.startswith(".")
