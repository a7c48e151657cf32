"""``reports/reference/`` is what this code makes, byte by byte, and ``verify`` reads it without trusting it."""

import sys
from pathlib import Path

import pytest

from pulse_sim.evidence import Manifest
from pulse_sim.evidence.signing_key import PUBLISHED_TEST_KEYID, load_signing_key
from pulse_sim.evidence.verification import Standing, verify_bundle
from pulse_sim.verdict import Verdict
from tests.evidence.reference import PLACE, PUBLISHED_KEY, PYTHON, make

COMMAND = "python -m tests.evidence.reference"
AT_MOST_BYTES = 1_500_000


def contents(bundle: Path) -> dict[str, bytes]:
    return {str(file.relative_to(bundle)): file.read_bytes() for file in bundle.rglob("*") if file.is_file()}


@pytest.mark.system
def test_the_reference_is_what_this_code_makes(tmp_path: Path) -> None:
    made = make(tmp_path)
    if sys.version_info[:2] != PYTHON:  # other minors agree on the outcome only (R4)
        assert Manifest.read(made).inputs["outcome_digest"] == Manifest.read(PLACE).inputs["outcome_digest"]
        return
    fresh, committed = contents(made), contents(PLACE)
    assert fresh.keys() == committed.keys(), f"make it anew: {COMMAND}"
    differing = [name for name in fresh if fresh[name] != committed[name]]
    assert not differing, f"{differing} differ; if that was meant, make it anew: {COMMAND}"


def test_the_reference_is_small_and_tells_nothing_of_a_machine() -> None:
    names = contents(PLACE)
    assert sum(map(len, names.values())) < AT_MOST_BYTES
    assert not [name for name in names if name.endswith(("environment.json", "resources.jsonl"))]


def test_the_reference_is_whole_and_signed_with_the_published_key_which_nobody_trusts() -> None:
    key = load_signing_key(PUBLISHED_KEY)
    told = verify_bundle(PLACE, [key.public])
    assert (told.standing, told.kind, told.keyid) == (Standing.UNTRUSTED, "verdict", PUBLISHED_TEST_KEYID)
    assert len(told.reasons) == 1
    assert told.found is not None and told.found.verdict is Verdict.GO_WITH_CONDITIONS
