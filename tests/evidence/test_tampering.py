"""Whatever is changed in a bundle, ``verify`` never says trusted; an untouched copy elsewhere it does."""

import random
from pathlib import Path

import pytest

from pulse_sim.evidence.verification import Standing
from tests.evidence.tampering import TAMPERINGS, Specimens, files_of, specimens, sweep_flips, sweep_tampering

FLIPS = 1_500  # of the 10,000 of the nightly run
TAMPERED = 5 * len(TAMPERINGS)


def test_a_flipped_byte_in_any_file_is_never_trusted() -> None:
    assert sweep_flips(FLIPS) == []


def test_a_file_deleted_cut_added_swapped_linked_or_signed_anew_is_never_trusted() -> None:
    assert sweep_tampering(TAMPERED) == []


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_way_of_tampering_changes_the_bundle(name: str) -> None:
    with specimens() as given:
        before = _content(given.verdict)
        TAMPERINGS[name](given.verdict, random.Random(name))
        assert _content(given.verdict) != before


def test_the_sweep_reports_a_verifier_that_trusts_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Specimens, "standing", lambda _self, _bundle: Standing.TRUSTED)
    assert len(sweep_flips(3)) == 3
    assert len(sweep_tampering(len(TAMPERINGS))) == len(TAMPERINGS)


def test_the_sweep_reports_a_verifier_that_trusts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Specimens, "standing", lambda _self, _bundle: Standing.DAMAGED)
    assert len(sweep_flips(3)) == 2


def _content(bundle: Path) -> dict[str, tuple[bool, bytes]]:
    return {str(file.relative_to(bundle)): (file.is_symlink(), file.read_bytes()) for file in files_of(bundle)}
