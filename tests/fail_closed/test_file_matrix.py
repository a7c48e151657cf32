"""Every file of evidence × every damage: whoever verifies the verdict does not take it for a GO."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.fail_closed.bundles import Specimen, is_go, made
from tests.fail_closed.files import FILE_DAMAGES

EVIDENCE: Final = (
    "RUN/checkpoints.jsonl",
    "RUN/checks.json",
    "RUN/journal.jsonl",
    "RUN/observations.jsonl",
    "RUN/scenario.yaml",
    "attest.json",
    "commands/catalogue.json",
    "commands/catalogue.txt",
    "inventory.json",
    "packets.json",
    "plan.yaml",
    "verdict.json",
)
"""What a verdict is judged by."""

PAGES: Final = (
    "RUN/environment.json",
    "RUN/junit.xml",
    "RUN/metrics.om",
    "RUN/report.html",
    "RUN/report.md",
    "RUN/resources.jsonl",
    "RUN/timeline.json",
    "RUN/timeline.svg",
    "coverage.json",
    "environment.json",
    "junit.xml",
    "report.html",
    "report.md",
)
"""What is made of it for people and machines; no verdict rests on it."""

SEALS: Final = ("RUN/attestation.json", "RUN/manifest.json", "attestation.json", "manifest.json")

SAYS_THE_SAME: Final[Mapping[tuple[str, str], str]] = {
    ("inventory.json", "reordered"): "it lists the same things in another order",
    ("verdict.json", "too few samples"): "no gate asks for a capability, so which of them were told changes nothing",
}
"""Damages before signing that change a file and nothing it stands for."""


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    return made(tmp_path_factory.mktemp("fail-closed"))


def test_whole_bundle_is_go_and_its_files_are_the_matrix(specimen: Specimen) -> None:
    assert is_go(specimen.bundle)
    assert specimen.files() == {*EVIDENCE, *PAGES, *SEALS}


@pytest.mark.parametrize("damage", FILE_DAMAGES)
@pytest.mark.parametrize("file", [*EVIDENCE, *PAGES, *SEALS])
def test_file_damaged_after_signing_is_never_go(file: str, damage: str, specimen: Specimen) -> None:
    spoilt = specimen.spoilt(file, FILE_DAMAGES[damage], signed_before=True)
    assert is_go(spoilt) is unchanged(specimen, spoilt)


@pytest.mark.parametrize("damage", [name for name in FILE_DAMAGES if name != "wrong digest"])
@pytest.mark.parametrize("file", EVIDENCE)
def test_evidence_damaged_before_signing_is_never_go(file: str, damage: str, specimen: Specimen) -> None:
    spoilt = specimen.spoilt(file, FILE_DAMAGES[damage], signed_before=False)
    expected = unchanged(specimen, spoilt) or (file, damage) in SAYS_THE_SAME
    assert is_go(spoilt) is expected


def unchanged(specimen: Specimen, copy: Path) -> bool:
    """Whether the damage found nothing to damage: no date in a file without dates."""
    kept = _files(specimen.bundle)
    return kept == _files(copy)


def _files(root: Path) -> dict[Path, bytes]:
    return {file.relative_to(root): file.read_bytes() for file in root.rglob("*") if file.is_file()}
