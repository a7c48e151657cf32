"""``pulse-sim verify`` and ``key``: exit statuses, whom they trust, and repeating the runs of a bundle."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pulse_sim.canonical import canonical_json
from pulse_sim.cli.main import cli
from pulse_sim.evidence.envelope import result_of
from pulse_sim.evidence.signing_key import VARIABLE, signing_key
from pulse_sim.verdict import Verdict
from tests.cli.command import pulse_sim
from tests.evidence.keys import key_file
from tests.evidence.recording import sealed_run
from tests.evidence.reference import PUBLISHED_KEY
from tests.evidence.resealing import reseal
from tests.evidence.rollout import sealed_verdict
from tests.run.rehearsal import scenario


@pytest.fixture(scope="module")
def verdict_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict")).path


def verify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["verify", *map(str, arguments)])


def test_a_trusted_bundle_is_told_in_a_line(verdict_bundle: Path) -> None:
    done = verify(verdict_bundle)
    assert (done.exit_code, done.stderr) == (0, "")
    signer = signing_key().keyid
    assert done.stdout == f"trusted: {verdict_bundle.name}: GO, 2 runs judged again, signed by {signer}\n"


def test_json_is_one_object_for_each_bundle(verdict_bundle: Path) -> None:
    done = verify(verdict_bundle / "runs", verdict_bundle, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["kind"], row["standing"], row["outcome"], row["verdict"]) for row in rows] == [
        ("run", "trusted", "passed", None),
        ("run", "trusted", "passed", None),
        ("verdict", "trusted", None, "GO"),
    ]
    assert rows[2]["keyid"] == signing_key().keyid
    assert all(row["rerun"] is None and row["reasons"] == [] and row["differences"] == [] for row in rows)


def test_a_bundle_of_somebody_unknown_is_open_and_the_reason_told(verdict_bundle: Path, tmp_path: Path) -> None:
    public = tmp_path / "another.pub"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(key_file(tmp_path, "another")))
        public.write_text(signing_key().public_pem())
        done = verify(verdict_bundle)
    assert done.exit_code == 3
    assert done.stdout.splitlines()[1].startswith("  the bundle is signed by an unknown key (keyid ")
    assert verify(verdict_bundle, "--key", public).exit_code == 3


def test_a_key_given_is_trusted_instead_of_ones_own(verdict_bundle: Path, tmp_path: Path) -> None:
    own, other = tmp_path / "own.pub", tmp_path / "other.pub"
    own.write_text(signing_key().public_pem())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(key_file(tmp_path, "another")))
        other.write_text(signing_key().public_pem())
        assert verify(verdict_bundle, "--key", own).exit_code == 0
        assert verify(verdict_bundle, "--key", other, "--key", own).exit_code == 0
    assert verify(verdict_bundle, "--key", other).exit_code == 3


def test_without_any_key_nothing_is_trusted_and_none_is_made(
    verdict_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert verify(verdict_bundle).exit_code == 3
    assert not list(tmp_path.iterdir())


def test_damage_wins_over_distrust_and_distrust_over_trust(
    verdict_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(PUBLISHED_KEY))
        foreign = sealed_run(tmp_path / "foreign").path
    damaged = sealed_run(tmp_path / "damaged").path
    (damaged / "report.md").write_text("passed")
    assert verify(verdict_bundle, foreign).exit_code == 3
    assert verify(verdict_bundle, foreign, damaged).exit_code == 1
    done = verify(damaged)
    assert done.stdout.splitlines()[1].startswith("  report.md: has 6 bytes, the manifest says ")


def test_a_forged_outcome_is_told_with_what_it_comes_to(tmp_path: Path) -> None:
    bundle = sealed_run(tmp_path, fails=(5, 5)).path
    checks = json.loads((bundle / "checks.json").read_bytes())
    (bundle / "checks.json").write_bytes(canonical_json({**checks, "outcome": "passed"}) + b"\n")
    reseal(bundle)
    done = verify(bundle)
    assert done.exit_code == 1
    assert "  differs: auth-revoked-7-abababab/checks.json outcome: recorded passed, recomputed failed" in done.stdout


def test_no_bundle_is_wrong_usage(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        done = verify(path)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert verify().exit_code == 2


def test_a_key_that_is_none_is_wrong_usage(verdict_bundle: Path, tmp_path: Path) -> None:
    private = key_file(tmp_path, "mine")
    done = verify(verdict_bundle, "--key", private)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "give the public half" in done.stderr


def test_an_own_key_that_others_can_read_is_told_with_the_way_out(verdict_bundle: Path, tmp_path: Path) -> None:
    file = key_file(tmp_path, "open")
    file.chmod(0o644)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(file))
        done = verify(verdict_bundle)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"chmod 600 {file}" in done.stderr


def test_names_of_a_bundle_write_no_control_characters_to_the_terminal(verdict_bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(verdict_bundle, tmp_path / "evil\x1b[2J"))
    (copy / "\x1b]0;title\x07").write_bytes(b"")
    done = verify(copy)
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout


def test_key_prints_the_public_half_only(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["key"])
    public = tmp_path / "own.pub"
    public.write_text(done.stdout)
    assert done.stderr == f"keyid {signing_key().keyid}\n"
    assert "PRIVATE" not in done.stdout
    row = json.loads(CliRunner().invoke(cli, ["key", "--json"]).stdout)
    assert row == {"keyid": signing_key().keyid, "public_key": done.stdout, "file": os.environ[VARIABLE]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two short runs sealed by the command line with a key made on first use; ``home`` is where it lies."""
    directory = tmp_path_factory.mktemp("runs")
    home = directory / "home"
    home.mkdir()
    files = []
    for name in ("one", "two"):
        files.append(directory / f"{name}.yaml")
        files[-1].write_text(scenario(id=name), "utf-8")
    environment = {VARIABLE: "", "HOME": str(home)}
    done = pulse_sim("run", *files, "--json", "--jobs", "2", "--out", directory / "out", environment=environment)
    assert done.status == 0, done.err
    return {row["scenario"]: Path(row["bundle"]) for row in done.rows} | {"home": home, "out": directory / "out"}


@pytest.mark.system
def test_a_key_is_made_on_first_use_and_signs_what_workers_seal(runs: dict[str, Path]) -> None:
    file = runs["home"] / ".config" / "pulse-sim" / "signing-key.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    done = pulse_sim("verify", runs["out"], environment={VARIABLE: "", "HOME": str(runs["home"])})
    assert (done.status, done.err) == (0, "")
    assert done.out.count("trusted: ") == 2
    secret = file.read_bytes().splitlines()[1]
    for bundle in (runs["one"], runs["two"]):
        assert not [path.name for path in bundle.iterdir() if secret in path.read_bytes()]
    assert verify(runs["out"]).exit_code == 3  # on this machine, with this key, they are somebody else's


@pytest.mark.system
def test_a_run_without_a_key_to_sign_with_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(scenario(), "utf-8")
    arguments = ("run", tmp_path / "small.yaml", "--out", tmp_path / "out")
    done = pulse_sim(*arguments, environment={VARIABLE: ""})
    assert done.status == 2
    assert done.err.startswith("error: no signing key can be made in /nonexistent/.config/pulse-sim: ")
    done = pulse_sim(*arguments, "--key", tmp_path / "absent.pem")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "absent.pem is not there" in done.err


@pytest.mark.system
def test_a_key_given_signs_and_its_place_is_not_written_down(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(scenario(), "utf-8")
    file = key_file(tmp_path, "given")
    done = pulse_sim("run", tmp_path / "small.yaml", "--out", tmp_path / "out", "--json", "--key", file)
    assert done.status == 0, done.err
    bundle = Path(done.rows[0]["bundle"])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(file))
        assert verify(bundle).exit_code == 0
    assert verify(bundle).exit_code == 3
    assert json.loads((bundle / "environment.json").read_bytes())["argv"][-2:] == ["--key", "***"]


@pytest.mark.system
def test_repeating_whole_runs_finds_no_difference_and_needs_no_key(runs: dict[str, Path], tmp_path: Path) -> None:
    environment = {VARIABLE: "", "HOME": str(tmp_path)}
    done = pulse_sim("verify", runs["out"], "--rerun", "--json", environment=environment)
    assert done.status == 3, done.err
    assert [row["rerun"] for row in done.rows] == [{"same": True, "differences": []}] * 2
    assert not list(tmp_path.iterdir())


@pytest.mark.system
def test_a_run_that_this_code_does_not_repeat_is_different_and_the_first_difference_told(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(runs["one"], tmp_path / runs["one"].name))
    lines = (copy / "observations.jsonl").read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b'"template"' in line)
    lines[place] = lines[place].replace(b'"template":"', b'"template":"Hm. ')
    (copy / "observations.jsonl").write_bytes(b"".join(lines))
    reseal(copy)
    done = verify(copy, "--rerun")
    assert done.exit_code == 1
    assert "repeated: not the same" in done.stdout
    assert f"the first file that differs is observations.jsonl, line {place + 1}, column " in done.stdout


@pytest.mark.system
def test_what_a_bundle_names_is_not_imported_until_the_command_line_names_it_too(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(runs["one"], tmp_path / runs["one"].name))
    for name in ("checks.json", "observations.jsonl", "journal.jsonl"):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content.replace(b'"sut":"reference"', b'"sut":"hostile_system:factory"', 1))
    (tmp_path / "hostile_system.py").write_text("raise SystemExit('imported')")
    reseal(copy)
    done = pulse_sim("verify", copy, "--rerun", cwd=tmp_path)
    assert done.status == 2
    assert "was made with hostile_system:factory; say --sut hostile_system:factory" in done.err
    done = pulse_sim("verify", runs["two"], "--rerun", "--sut", "hostile_system:factory", cwd=tmp_path)
    assert done.status == 2
    assert "no run was made with it" in done.err


@pytest.mark.system
def test_a_verdict_that_rests_on_no_run_has_nothing_to_repeat(tmp_path: Path) -> None:
    bundle = sealed_verdict(tmp_path, results={}).path
    shutil.rmtree(bundle / "runs")
    reseal(bundle, result=result_of(Verdict.NO_GO))
    done = verify(bundle, "--rerun", "--json")
    row = json.loads(done.stdout)
    assert (done.exit_code, row["standing"], row["verdict"], row["rerun"]["same"]) == (0, "trusted", "NO_GO", True)
