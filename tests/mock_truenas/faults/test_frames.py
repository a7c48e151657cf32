"""What becomes of a message on its way out, as bytes and steps."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS
from mock_truenas.faults.active import ActiveFaults
from mock_truenas.faults.effect import Close, Effect
from mock_truenas.faults.frames import Abort, Plan, Send, Wait, plan, text_frame
from mock_truenas.faults.target import Target
from tests.mock_truenas.faults.minimal import MINIMAL

CALL = Target("rpc", path="/api/current", call="pool.query", connection=1)
REPLY = '{"jsonrpc": "2.0", "result": 1, "id": 7}'


def planned(*faults: tuple[str, dict[str, Any]], text: str = REPLY, face: str = "rpc") -> Plan:
    active = ActiveFaults()
    for number, (kind, parameters) in enumerate(faults):
        active.inject(f"f{number}", kind, FAULT_KINDS[kind].parameters.model_validate(parameters))
    return plan(text, active.met_by(CALL), face)


def _effect(name: str) -> Effect:
    return FAULT_KINDS[name].effect(FAULT_KINDS[name].parameters.model_validate(MINIMAL.get(name, {})))


def sent(found: Plan) -> list[str]:
    """The texts of whole frames."""
    return [unframed(action.data) for action in found.actions if isinstance(action, Send)]


def unframed(frame: bytes) -> str:
    """A frame read the way RFC 6455 5.2 says, without the code under test."""
    assert frame[0] == 0x81
    size, head = frame[1], 2
    if size == 126:
        (size,), head = struct.unpack("!H", frame[2:4]), 4
    elif size == 127:
        (size,), head = struct.unpack("!Q", frame[2:10]), 10
    assert len(frame) == head + size
    return frame[head:].decode()


@pytest.mark.parametrize("size", [0, 125, 126, 127, 65535, 65536])
def test_frames_of_every_form_of_length(size: int) -> None:
    assert unframed(text_frame("x" * size)) == "x" * size


@given(st.text())
def test_any_text_is_one_frame(text: str) -> None:
    assert unframed(text_frame(text)) == text


def test_without_a_fault_a_message_goes_out_as_it_is() -> None:
    assert planned() == Plan((Send(text_frame(REPLY)),))


@pytest.mark.parametrize(("form", "expected"), [("other", 1007), ("text", "7"), ("null", None)])
def test_a_wrong_id_is_the_only_thing_wrong(form: str, expected: object) -> None:
    found = planned(("rpc.wrong_id", {"form": form}))
    assert [json.loads(text) for text in sent(found)] == [{"jsonrpc": "2.0", "result": 1, "id": expected}]
    assert found.faults == ("f0",)


def test_copies_come_with_their_gaps() -> None:
    frame = Send(text_frame(REPLY))
    found = planned(("rpc.duplicate", {"copies": 3, "gap": "2s"}))
    assert found.actions == (frame, Wait(2_000_000_000), frame, Wait(2_000_000_000), frame)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("face", ["rpc", "ddp"])
def test_strays_have_the_form_of_their_face(face: str, place: str) -> None:
    texts = sent(planned(("rpc.stray", {"count": 2, "place": place, "collection": "disk.query"}), face=face))
    event = {"msg": "changed", "collection": "disk.query", "id": "0", "fields": {"id": "0"}}
    expected = event if face == "ddp" else {"jsonrpc": "2.0", "method": "collection_update", "params": event}
    strays = texts[:2] if place == "before" else texts[1:]
    assert [json.loads(text) for text in strays] == [expected] * 2
    assert texts[2 if place == "before" else 0] == REPLY


@given(st.integers(0, 200))
def test_a_cut_frame_is_never_whole_and_nothing_follows(keep: int) -> None:
    frame = text_frame(REPLY)
    found = planned(("rpc.cut_frame", {"keep_bytes": keep}), ("rpc.duplicate", {"copies": 2}))
    assert found.actions == (Send(frame[: min(keep, len(frame) - 1)]), Abort())
    assert (found.ending, found.close_code) == ("cut", 1006)


def test_oversize_is_the_same_value_with_the_size_that_was_asked_for() -> None:
    (text,) = sent(planned(("rpc.oversize", {"bytes": 70_000})))
    assert (len(text), json.loads(text)) == (70_000, json.loads(REPLY))


def test_a_close_comes_instead_of_everything_else() -> None:
    found = planned(("rpc.duplicate", {}), ("rpc.close", {"code": 1008, "reason": "no"}))
    assert (found.actions, found.faults, found.close_code) == ((Close(1008, "no"),), ("f1",), 1008)


def test_code_1006_is_no_close_frame() -> None:
    found = planned(("rpc.close", {"code": 1006}))
    assert (found.actions, found.ending, found.close_code) == ((Abort(),), "cut", 1006)


DELIVERED = sorted(name for name, kind in FAULT_KINDS.items() if _effect(name).delivery or _effect(name).close)


@given(st.lists(st.sampled_from(DELIVERED), max_size=6), st.sampled_from(["rpc", "ddp"]))
def test_any_overlap_has_a_plan_that_ends_the_connection_last_if_at_all(kinds: list[str], face: str) -> None:
    found = planned(*((kind, {"call": "*"}) for kind in kinds), face=face)
    ends = [action for action in found.actions if isinstance(action, Abort | Close)]
    assert ends == list(found.actions[len(found.actions) - len(ends) :])
    assert len(ends) <= 1
    assert (found.close_code is not None) == bool(ends)
    assert bool(found.faults) == any(FAULT_KINDS[kind].acts_on & {"call"} for kind in kinds)
