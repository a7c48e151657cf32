"""Secrets of a run carry the marker; one that lies readable on a system's disk is told, whatever its form."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import sha256_hex
from pulse_sim.kernel import Trace
from pulse_sim.kernel.disk import Disk
from pulse_sim.observation.secrecy import MARKER, find_secret_forms
from pulse_sim.outcome import Outcome
from pulse_sim.sut.protocol import Place
from pulse_sim.world.cast import AppliancePlan, Cast
from pulse_sim.world.disk import describe_disk
from pulse_sim.world.simulated import SimulatedWorld
from tests.run.rehearsal import Rehearsed, rehearse, scenario
from tests.sut.conformance import START_NS
from tests.sut.plugins import Minimal, and_then

Form = Callable[[bytes], bytes]
FORMS: dict[str, Form] = {
    "plain": lambda secret: b"key=" + secret,
    "JSON": lambda secret: json.dumps({"apiKey": secret.decode()}).encode(),
    "base64": base64.b64encode,
    "hex": lambda secret: secret.hex().encode(),
}


def writing(name: str, form: Form) -> Callable[[Place], Any]:
    def factory(place: Place) -> Any:
        def write(at: Place) -> None:
            path = f"{at.data_dir}/{name}"
            at.disk.make_directory(path.rpartition("/")[0], 0o700)
            at.disk.write(path, form(at.api_token.encode()), 0o644)

        return and_then(write)(place)

    return factory


def disk_of(done: Rehearsed) -> dict[str, Any]:
    (record,) = done.of("world/disk", "pulse")
    return record.data


@pytest.mark.parametrize("credentials", ["api_key", "basic"])
def test_the_store_of_the_reference_shows_no_secret(tmp_path: Path, credentials: str) -> None:
    connections = {"nas-1": {"appliance": "nas-1", "credentials": credentials}}
    done = rehearse(tmp_path, scenario(connections=connections))
    disk = disk_of(done)
    assert {"truenas.enc", ".encryption.key"} <= set(disk["files"])
    assert (disk["files"]["truenas.enc"]["mode"], disk["leaks"]) == ("0600", [])
    assert done.outcome_of("no_secret_leaks") is Outcome.PASSED
    assert done.log.requests("nas-1")[0].status == 200, "the secret that is not readable is the right one"


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_written_to_a_file_is_told_by_the_name_of_the_file(tmp_path: Path, form: str) -> None:
    done = rehearse(tmp_path, factory=writing("notes.txt", FORMS[form]))
    disk = disk_of(done)
    assert disk["leaks"] == ["notes.txt"]
    assert disk["files"]["notes.txt"]["mode"] == "0644"
    assert done.outcome_of("no_secret_leaks") is Outcome.FAILED


def test_a_secret_in_a_directory_below_is_found_too(tmp_path: Path) -> None:
    done = rehearse(tmp_path, factory=writing("backup/2026/notes.txt", FORMS["plain"]))
    assert disk_of(done)["leaks"] == ["backup/2026/notes.txt"]


def test_a_system_with_several_organisations_has_its_disk_described(tmp_path: Path) -> None:
    systems = {"pulse": {"environment": {"PULSE_ENABLE_TRUENAS": "true", "PULSE_MULTI_TENANT_ENABLED": "true"}}}
    factory = writing("orgs/acme/other", lambda _: b"nothing of interest")
    done = rehearse(tmp_path, scenario(systems=systems), factory=factory)
    assert "orgs/acme/other" in disk_of(done)["files"]
    assert disk_of(done)["leaks"] == []


def test_a_description_gives_size_mode_and_digest_and_no_content() -> None:
    disk = Disk("pulse")
    disk.make_directory("/etc/pulse/empty", 0o700)
    disk.write("/etc/pulse/a", b"abc", 0o600)
    disk.write("/outside", b"not of the data directory", 0o600)
    wanted = {"a": {"bytes": 3, "mode": "0600", "sha256": sha256_hex(b"abc")}}
    assert describe_disk(disk, "/etc/pulse") == {"files": wanted, "leaks": []}


def test_a_directory_that_was_never_made_has_no_files() -> None:
    assert describe_disk(Disk("pulse"), "/etc/pulse") == {"files": {}, "leaks": []}


def world_of(tls: bool, seed: int = 1) -> SimulatedWorld:
    plan = AppliancePlan("24.10", "baseline", tls, 500_000)
    return SimulatedWorld(Cast(START_NS, {"nas-1": plan}, ("pulse",)), seed, Minimal, Trace())


def test_both_kinds_of_credentials_carry_the_marker_and_exclude_each_other() -> None:
    world = world_of(tls=False)
    key, basic = (world.connection_record("nas-1", "skip", kind) for kind in ("api_key", "basic"))
    assert MARKER in key["apiKey"].encode()
    assert (key["username"], key["password"]) == ("", "")
    assert MARKER in basic["password"].encode()
    assert (basic["username"], basic["apiKey"]) == ("pulse", "")


def test_secrets_are_those_of_the_seed() -> None:
    first, again, other = (world_of(False, seed).connection_record("nas-1", "skip", "api_key") for seed in (1, 1, 2))
    assert first == again
    assert first["apiKey"] != other["apiKey"]


def test_where_to_connect_follows_from_transport_and_trust() -> None:
    told = ("host", "port", "useHttps", "insecureSkipVerify")
    plain = world_of(tls=False).connection_record("nas-1", "pin", "api_key")
    assert [plain[name] for name in (*told, "fingerprint")] == ["nas-1", 80, False, False, ""]
    skip = world_of(tls=True).connection_record("nas-1", "skip", "api_key")
    assert [skip[name] for name in (*told, "fingerprint")] == ["nas-1", 443, True, True, ""]
    pin = world_of(tls=True).connection_record("nas-1", "pin", "api_key")
    assert [pin[name] for name in told] == ["nas-1", 443, True, True]
    assert len(bytes.fromhex(pin["fingerprint"])) == 32


def test_a_systems_token_carries_the_marker_too(tmp_path: Path) -> None:
    tokens: list[str] = []

    def factory(place: Place) -> Minimal:
        tokens.append(place.api_token)
        return Minimal(place)

    done = rehearse(tmp_path, factory=factory)
    assert find_secret_forms(tokens[0].encode())
    assert done.outcome_of("no_secret_leaks") is Outcome.PASSED
