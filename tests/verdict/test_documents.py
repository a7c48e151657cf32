"""``packets.json`` and ``verdict.json`` whole, key by key and word by word: others read them by these names."""

from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.verdict import PlanVerdict, Verdict, fold, packets_data, verdict_data
from tests.verdict import documents
from tests.verdict.doubles import TODAY
from tests.verdict.everything import ATTEST, KNOWN, OPEN_KNOWN, OPEN_PLAN, PLAN

CAPABILITIES = frozenset({"probe", "health"})


def decided() -> PlanVerdict:
    return fold(PLAN, KNOWN, ATTEST, TODAY, capabilities=CAPABILITIES)


@pytest.mark.parametrize("index", range(3))
def test_every_packet_says_all_it_knows_in_packets_json(index: int) -> None:
    told: Any = packets_data(decided())
    assert told["packets"][index] == documents.PACKETS["packets"][index]


@pytest.mark.parametrize("key", documents.VERDICT)
def test_every_part_of_verdict_json_says_all_it_knows(key: str) -> None:
    assert verdict_data(decided())[key] == documents.VERDICT[key]


def test_both_documents_are_these_bytes_and_no_others() -> None:
    assert canonical_json(packets_data(decided())) == canonical_json(documents.PACKETS)
    assert canonical_json(verdict_data(decided())) == canonical_json(documents.VERDICT)


def test_a_verdict_with_conditions_alone_gives_them_as_its_reasons() -> None:
    verdict = fold(OPEN_PLAN, OPEN_KNOWN, None, TODAY, capabilities=CAPABILITIES)
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert verdict_data(verdict) == documents.CONDITIONAL
