"""The catalogue of faults as data."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mock_truenas.durations import read_duration, write_duration
from mock_truenas.faults import CATALOGUE, FAULT_KINDS, Entry, Stage
from mock_truenas.faults.active import ActiveFaults
from mock_truenas.faults.target import Target
from tests.mock_truenas.faults.minimal import MINIMAL

ERROR_TYPES = {"connection", "auth", "validation", "not_found", "internal", "api", "timeout"}


def _active(**parameters: Any) -> ActiveFaults:
    faults = ActiveFaults()
    faults.inject("f", "http.silence", FAULT_KINDS["http.silence"].parameters.model_validate(parameters))
    return faults


def _met(faults: ActiveFaults, method: str, path: str) -> bool:
    return bool(faults.met_by(Target("rest", method, path)).at(Stage.DROP))


def test_importing_the_table_loads_no_network_code() -> None:
    code = (
        "import sys, mock_truenas.faults; "
        "print([name for name in ('aiohttp', 'asyncio', 'ssl', 'pulse_sim') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_entry_of_the_catalogue_is_there_in_order_with_what_makes_it_happen() -> None:
    assert [entry.number for entry in CATALOGUE] == [f"F{number:02}" for number in range(1, 54)]
    assert [entry.number for entry in CATALOGUE if not entry.recipes] == ["F08"]
    assert all(entry.recipes or entry.standing for entry in CATALOGUE)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.number)
def test_a_recipe_names_a_kind_and_parameters_it_takes_as_a_file_or_a_program_writes_them(entry: Entry) -> None:
    for recipe in entry.recipes:
        parameters = FAULT_KINDS[recipe.kind].parameters
        written = parameters.model_validate_json(json.dumps(recipe.parameters))
        assert written == parameters.model_validate(recipe.parameters)


def test_the_stages_have_the_fixed_order() -> None:
    assert [stage.name for stage in Stage] == ["REFUSE", "DROP", "DELAY", "STATUS", "BODY", "PACE", "STATE"]


@pytest.mark.parametrize("name", list(FAULT_KINDS))
def test_every_kind_says_in_one_line_what_it_does_and_how_it_is_seen(name: str) -> None:
    kind = FAULT_KINDS[name]
    assert kind.name == name
    assert kind.doc.endswith(".")
    assert "\n" not in kind.doc
    assert kind.worlds == {"simulated", "live"}
    witness = kind.witness(kind.parameters.model_validate(MINIMAL.get(name, {}))).to_data()
    assert json.loads(json.dumps(witness)) == witness
    assert witness["journal"] or witness["poll_errors"]
    assert set(witness["poll_errors"]) <= {
        "connection",
        "auth",
        "validation",
        "not_found",
        "internal",
        "api",
        "timeout",
    }
    for pattern in witness["journal"]:
        assert set(pattern) <= {"fault", "status", "ended", "duration_at_least_ns"}
        assert set(pattern.get("ended", [])) <= {"complete", "cut", "reset", "silent", "client_gone"}


def test_witness_of_a_delay_is_a_wait_of_that_length() -> None:
    kind = FAULT_KINDS["http.delay"]
    witness = kind.witness(kind.parameters.model_validate({"delay": "15s"})).to_data()
    assert witness["poll_slower_than_ns"] == 15_000_000_000
    assert {"fault": True, "duration_at_least_ns": 15_000_000_000} in witness["journal"]


@pytest.mark.parametrize(
    ("status", "error"), [(401, "auth"), (403, "auth"), (504, "timeout"), (408, "timeout"), (503, "api"), (404, "api")]
)
def test_witness_of_a_status_names_the_error_type_a_client_files_it_under(status: int, error: str) -> None:
    kind = FAULT_KINDS["http.status"]
    assert kind.witness(kind.parameters.model_validate({"status": status})).to_data()["poll_errors"] == [error]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("http.delay", {}),
        ("http.delay", {"delay": 15}),
        ("http.delay", {"delay": "15"}),
        ("http.delay", {"delay": "15s", "jitter": "1s"}),
        ("http.status", {"status": 200}),
        ("http.status", {"status": "503"}),
        ("http.status", {"status": 503, "body": "apache"}),
        ("http.truncate_body", {"keep_bytes": -1}),
        ("http.silence", {"path": "pool"}),
        ("http.silence", {"method": "get"}),
        ("http.silence", {"first": 0}),
        ("appliance.down", {"path": "*"}),
        ("tls.wrong_name", {"name": ""}),
        ("tls.wrong_name", {"name": "no name"}),
        ("tls.stalled", {"first": 1}),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FAULT_KINDS[name].parameters.model_validate(parameters)


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("*", "/pool", True),
        ("/pool", "/pool", True),
        ("/pool", "/pool/dataset", False),
        ("/pool*", "/pool/dataset", True),
        ("/system/*", "/system/info", True),
        ("*info", "/system/info", True),
    ],
)
def test_path_is_a_glob_on_the_whole_path(pattern: str, path: str, meant: bool) -> None:
    assert _met(_active(path=pattern), "GET", path) is meant


def test_first_counts_only_requests_that_are_meant() -> None:
    faults = _active(path="/pool", method="GET", first=2)
    seen = [_met(faults, *request) for request in [("POST", "/pool"), ("GET", "/disk")] + [("GET", "/pool")] * 3]
    assert seen == [False, False, True, True, False]


def test_injecting_an_active_id_again_is_refused_and_changes_nothing() -> None:
    faults = _active(path="/pool")
    with pytest.raises(ValueError, match="already active"):
        faults.inject("f", "http.silence", FAULT_KINDS["http.silence"].parameters())
    assert not _met(faults, "GET", "/disk")


def test_unknown_kind_is_refused_with_the_nearest_and_all_names() -> None:
    with pytest.raises(ValueError, match=r"did you mean http\.silence\? Known: http\.delay, "):
        ActiveFaults().inject("f", "http.silense", FAULT_KINDS["http.silence"].parameters())


def test_parameters_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="takes Delay, not Silence"):
        ActiveFaults().inject("f", "http.delay", FAULT_KINDS["http.silence"].parameters())


@given(st.integers(min_value=0, max_value=10**20))
def test_a_duration_reads_back_from_its_own_text(nanoseconds: int) -> None:
    assert read_duration(write_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize("text", ["", "5", "s", "1.5s", "-1s", "1s2m", "1s1s", " 1s", "1S", "٣s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        read_duration(text)
