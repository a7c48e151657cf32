"""A verdict bundle of the plan in this directory, whole or with one file spoilt before it was signed.

Who spoils a file after it was signed is found by its hash; here whoever signs it has been deceived, or deceives.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulse_sim.evidence.hostile import BundleDamaged
from pulse_sim.evidence.signing_key import signing_key
from pulse_sim.evidence.verification import Standing, verify_bundle
from pulse_sim.verdict import Verdict
from tests.cli.command import pulse_sim
from tests.evidence.resealing import reseal
from tests.fail_closed.files import FileDamage

HERE: Final = Path(__file__).parent
PLAN: Final = HERE / "plan.yaml"
ATTEST: Final = HERE / "attest.yaml"


@dataclass(frozen=True)
class Specimen:
    """A verdict bundle that is GO, and where copies of it may be made."""

    bundle: Path
    place: Path

    def files(self) -> set[str]:
        """Every file by its place in the bundle; ``RUN`` stands for the directory of its one run."""
        (run,) = (self.bundle / "runs").iterdir()
        found = (file.relative_to(self.bundle).as_posix() for file in self.bundle.rglob("*") if file.is_file())
        return {place.replace(f"runs/{run.name}/", "RUN/") for place in found}

    def spoilt(self, file: str, damage: FileDamage, *, signed_before: bool) -> Path:
        """A copy with one file damaged, before or after it was signed."""
        copy = self.place / self.bundle.name
        if copy.exists():
            shutil.rmtree(copy)
        shutil.copytree(self.bundle, copy)
        (run,) = (copy / "runs").iterdir()
        target = run / file.removeprefix("RUN/") if file.startswith("RUN/") else copy / file
        content = damage(target.read_bytes())
        if content is None:
            target.unlink()
        else:
            target.write_bytes(content)
        if not signed_before:
            with suppress(BundleDamaged):  # nobody signs a bundle without its plan: it stays as it is
                reseal(copy)
        return copy


def made(place: Path) -> Specimen:
    """Run the plan. Raises AssertionError when it is not GO."""
    done = pulse_sim("verdict", PLAN, "--attest", ATTEST, "--out", place / "whole", "--json")
    assert done.status == 0, done.err or done.out
    return Specimen(Path(done.rows[0]["bundle"]), place / "spoilt")


def is_go(bundle: Path) -> bool:
    """Whether somebody who trusts the key, and verifies, takes this bundle for a GO."""
    verification = verify_bundle(bundle, [signing_key().public])
    found = verification.found
    return verification.standing is Standing.TRUSTED and found is not None and found.verdict is Verdict.GO
