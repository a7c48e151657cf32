"""A loaded scenario is written out in full, and its file form loads as the same scenario."""

import pickle
from pathlib import Path

import pytest

from pulse_sim.scenario.load import expand, load_scenario, resolved_yaml, scenario_digest, select
from pulse_sim.scenario.model import ActionEntry
from pulse_sim.scenario.timeline import fault_windows, operator_actions, rollback_actions
from pulse_sim.units import HOUR, MINUTE, SECOND
from tests.scenario.files import SMALL, problems, scenario, with_timeline

ROOT = Path(__file__).parents[2]
CATALOGUE = sorted(path for path in (ROOT / "scenarios").rglob("*.yaml") if path.parent.name != "plans")
SILENCE = "{at: 5m, for: 1m, fault: http.silence, on: nas-1}"
MATRIX = (
    SMALL.replace("baseline}", 'baseline, tls: "${tls}", latency: "${ms}ms"}')
    + "matrix: {tls: [false, true], ms: [1, 20]}\n"
)


def names(text: str) -> list[str]:
    return [check["check"] for check in scenario(text).checks]


def test_implied_checks_are_written_out_after_the_file_s_own() -> None:
    assert names(SMALL) == ["no_leaks", "never_crashes", "no_secret_leaks", "abort_criteria"]
    assert names(with_timeline(SILENCE))[1] == "faults_took_effect"


def test_a_check_the_file_names_is_not_implied_a_second_time() -> None:
    text = SMALL + "  - {check: no_secret_leaks}\n  - {check: abort_criteria, criteria: [crash]}\n"
    assert names(text) == ["no_leaks", "no_secret_leaks", "abort_criteria", "never_crashes"]


@pytest.mark.parametrize(
    ("abort", "criteria"),
    [
        ("safety", ["crash", "corruption", "interference"]),
        ("standard", ["crash", "corruption", "interference", "failure_rate", "auth_errors"]),
        ("[auth_errors, crash]", ["crash", "auth_errors"]),
    ],
)
def test_abort_becomes_a_check_of_its_criteria(abort: str, criteria: list[str]) -> None:
    text = SMALL.replace("safety", abort)
    assert scenario(text).checks[-1] == {"check": "abort_criteria", "criteria": criteria}
    assert list(scenario(text).abort_criteria) == criteria


def test_abort_none_implies_no_check_of_criteria() -> None:
    assert "abort_criteria" not in names(SMALL.replace("safety", "none"))


def test_an_expected_abort_is_part_of_the_check() -> None:
    text = SMALL + "expect_abort: {criterion: crash, between: [300s, 9m]}\n"
    expected = {"criterion": "crash", "between": ["5m", "9m"]}
    assert scenario(text).checks[-1]["expect_abort"] == expected


ROLLED_BACK = SMALL + (
    "rollback:\n"
    "  - {after: 90s, do: remove_connection, with: {id: nas-1}}\n"
    "  - {after: 1m, do: ask_system, with: {path: /api/health}}\n"
)


def test_a_rollback_is_done_in_the_order_of_time_since_the_abort() -> None:
    actions = rollback_actions(scenario(ROLLED_BACK + "settle_after_abort: 7m\n"))
    assert [(action.do, action.at_ns, action.system) for action in actions] == [
        ("ask_system", MINUTE, "pulse"),
        ("remove_connection", 90 * SECOND, "pulse"),
    ]
    assert scenario(ROLLED_BACK).settle_after_abort == 5 * MINUTE
    assert scenario(ROLLED_BACK + "settle_after_abort: 7m\n").settle_after_abort == 7 * MINUTE


def test_a_rollback_is_done_to_the_system_its_connection_belongs_to() -> None:
    other = ROLLED_BACK.replace("{appliance: nas-1}", "{appliance: nas-1, system: other}")
    (entry, _) = scenario(other + "systems: {other: {}, pulse: {}}\n").rollback
    assert (entry.do, entry.system) == ("remove_connection", "other")


def test_one_system_as_shipped_with_the_feature_on_is_there_when_none_is_named() -> None:
    systems = scenario(SMALL).systems
    assert list(systems) == ["pulse"]
    assert systems["pulse"].variant == "truenas-off-by-default"
    assert systems["pulse"].environment == {"PULSE_ENABLE_TRUENAS": "true"}


def test_the_start_is_unix_time() -> None:
    assert scenario(SMALL).start_ns == 1_770_595_200 * SECOND


def test_a_repeated_fault_becomes_one_window_for_each_time() -> None:
    entry = "{at: 5m, for: 70s, fault: net.down, on: nas-1, id: flap, repeat: {every: 4m, times: 3}}"
    windows = fault_windows(scenario(with_timeline(entry)))
    assert [(window.id, window.from_ns, window.to_ns) for window in windows] == [
        ("flap#1", 5 * MINUTE, 5 * MINUTE + 70 * SECOND),
        ("flap#2", 9 * MINUTE, 9 * MINUTE + 70 * SECOND),
        ("flap#3", 13 * MINUTE, 13 * MINUTE + 70 * SECOND),
    ]


def test_windows_come_in_the_order_of_time_with_their_kind_and_parameters() -> None:
    late = "{at: 9m, for: 1m, fault: http.delay, on: nas-1, with: {delay: 15000ms}}"
    first, second = fault_windows(scenario(with_timeline(late, SILENCE)))
    assert (first.id, first.kind.name) == ("http.silence:nas-1@5m", "http.silence")
    assert (second.id, second.kind.name) == ("http.delay:nas-1@9m", "http.delay")
    assert second.parameters.delay == 15 * SECOND
    assert second.given == {"delay": "15s"}


def test_an_action_is_done_to_the_system_its_connection_belongs_to() -> None:
    text = with_timeline(
        "{at: 1m, do: add_connection, system: blue, with: {id: new, appliance: nas-1}}",
        "{at: 2m, do: test_connection, with: {id: new}}",
        "{at: 3m, do: restart_system}",
    )
    text += "systems: {pulse: {}, blue: {}}\n"
    loaded = scenario(text)
    assert [(action.do, action.system, action.id) for action in operator_actions(loaded)] == [
        ("add_connection", "blue", "add_connection:new@1m"),
        ("test_connection", "blue", "test_connection:new@2m"),
        ("restart_system", "pulse", "restart_system:pulse@3m"),
    ]
    assert operator_actions(loaded)[0].parameters.poll_interval == MINUTE
    assert all(isinstance(entry, ActionEntry) for entry in loaded.timeline)


def test_a_matrix_becomes_one_scenario_for_each_combination_with_typed_values() -> None:
    scenarios = expand(scenario(MATRIX))
    assert [one.id for one in scenarios] == [
        "small[tls=false,ms=1]",
        "small[tls=false,ms=20]",
        "small[tls=true,ms=1]",
        "small[tls=true,ms=20]",
    ]
    assert [one.appliances["nas-1"].tls for one in scenarios] == [False, False, True, True]
    assert [one.appliances["nas-1"].latency for one in scenarios][:2] == [1_000_000, 20_000_000]
    assert scenarios[3].parameters == {"tls": True, "ms": 20}
    assert not scenarios[3].matrix


def test_a_subset_of_the_matrix_selects_by_value_and_type() -> None:
    scenarios = expand(scenario(MATRIX))
    assert [one.id for one in select(scenarios, {"tls": True})] == ["small[tls=true,ms=1]", "small[tls=true,ms=20]"]
    assert select(scenarios, {"ms": True}) == ()
    assert select(scenarios, {"release": "24.10"}) == ()


def test_a_scenario_without_a_matrix_expands_to_itself() -> None:
    one = scenario(SMALL)
    assert expand(one) == (one,)


def test_what_is_wrong_in_one_combination_only_is_told_once_where_the_value_stands() -> None:
    text = (
        MATRIX.replace("[1, 20]", "[1, 99999, 70000]")
        .replace('"24.10"', '"${release}"')
        .replace("{tls: [false, true]", "{release: ['24.10', 24.10], tls: [false, 'no']")
    )
    found = [tuple(line.split(": ", 2)) for line in problems(text)]
    assert [(place, path) for place, path, _ in found] == [
        ("s.yaml:8:77", "appliances.nas-1.latency"),
        ("s.yaml:8:77", "appliances.nas-1.latency"),
        ("s.yaml:14:29", "appliances.nas-1.release"),
        ("s.yaml:14:50", "appliances.nas-1.tls"),
    ]
    assert found[0][2].startswith("1m10s is not between")
    assert found[2][2].endswith('write it in quotes (did you mean "24.10"?)')


def test_unknown_unused_and_repeated_parameters_are_problems() -> None:
    text = SMALL.replace("baseline", '"${fixtur}"') + "matrix: {fixture: [baseline, homelab, baseline]}\n"
    assert problems(text) == [
        "s.yaml:8:38: appliances.nas-1.fixture: unknown parameter ${fixtur}; known: fixture (did you mean fixture?)",
        "s.yaml:14:10: matrix.fixture: parameter fixture is not used; write ${fixture} where it belongs",
        "s.yaml:14:39: matrix.fixture[2]: 'baseline' is listed twice",
    ]


def test_too_many_combinations_are_refused() -> None:
    many = ", ".join(str(number) for number in range(9))
    text = SMALL.replace("baseline}", 'baseline, latency: "${a}${b}us"}') + f"matrix: {{a: [{many}], b: [{many}]}}\n"
    assert problems(text) == ["s.yaml:14:1: matrix: 81 combinations are more than 64"]


def test_the_id_takes_no_parameter() -> None:
    text = MATRIX.replace("id: small", 'id: "small-${ms}"')
    assert "s.yaml:2:5: id: ${ms} is not replaced in id" in problems(text)


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        MATRIX,
        with_timeline(SILENCE),
        SMALL.replace("A small scenario", '"\\e[2J <b> é 🙂:"'),
        ROLLED_BACK,
        ROLLED_BACK + "settle_after_abort: 7m\n",
    ],
)
def test_the_resolved_file_loads_as_the_same_scenario_and_resolves_to_itself(text: str) -> None:
    for one in expand(scenario(text)):
        again = scenario(resolved_yaml(one))
        assert again == one
        assert resolved_yaml(again) == resolved_yaml(one)
        assert scenario_digest(again) == scenario_digest(one)


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_every_scenario_of_the_catalogue_survives_the_round_trip(path: Path) -> None:
    for one in expand(load_scenario(path)):
        assert scenario(resolved_yaml(one)) == one


def test_the_digest_knows_what_a_scenario_means_and_not_how_it_was_written() -> None:
    assert scenario_digest(scenario(SMALL)) == scenario_digest(scenario("# a comment\n" + SMALL.replace("1h", "60m")))
    assert scenario_digest(scenario(SMALL)) != scenario_digest(scenario(SMALL.replace("1h", "61m")))
    digests = {scenario_digest(one) for one in expand(scenario(MATRIX))}
    assert len(digests) == 4


def test_a_scenario_with_a_matrix_has_no_one_file_and_no_one_digest() -> None:
    for question in (resolved_yaml, scenario_digest):
        with pytest.raises(ValueError, match="expand it first"):
            question(scenario(MATRIX))


def test_a_scenario_travels_to_a_worker_and_still_expands_there() -> None:
    one = pickle.loads(pickle.dumps(scenario(MATRIX)))  # noqa: S301
    assert [each.id for each in expand(one)] == [each.id for each in expand(scenario(MATRIX))]


def test_an_override_replaces_a_value_before_anything_is_judged() -> None:
    text = with_timeline(SILENCE.replace("nas-1}", "nas-1, id: quiet}"))
    loaded = scenario(
        text,
        "duration=2h",
        "appliances.nas-1.tls=true",
        "appliances.nas-1.release=24.10",
        "timeline[0].at=6m",
        "timeline.quiet.for=90s",
        "sampling={metrics: 30s}",
    )
    assert loaded.duration == 2 * HOUR
    assert loaded.appliances["nas-1"].tls is True
    assert loaded.appliances["nas-1"].release == "24.10"
    window = fault_windows(loaded)[0]
    assert (window.from_ns, window.to_ns) == (6 * MINUTE, 6 * MINUTE + 90 * SECOND)
    assert loaded.sampling.metrics == 30 * SECOND


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("duration", "--set duration:1:1: write it as PATH=VALUE, such as appliances.nas-1.tls=true"),
        ("=1", "--set =1:1:1: the path is empty"),
        (
            "appliances.nas-2.tls=true",
            "--set appliances.nas-2.tls=true:1:12: no key 'nas-2'; known: nas-1 (did you mean",
        ),
        ("timeline[3].for=1m", "--set timeline[3].for=1m:1:9: no position 3 in a list of 1"),
        (
            "timeline.quit.for=1m",
            "--set timeline.quit.for=1m:1:10: no entry with id 'quit'; known: quiet (did you mean",
        ),
        ("duration.x=1", "--set duration.x=1:1:10: there is nothing below '1h'"),
        ("a..b=1", "--set a..b=1:1:3: not a path; write it like timeline[0].for"),
        ("duration=[1", "--set duration=[1:1:3: not YAML"),
        ("duration=5x", "--set duration=5x:1:10: duration: '5x' is not a duration"),
        ("duraton=5m", "--set duraton=5m:1:9: duraton: unknown key 'duraton' (did you mean duration?)"),
        (
            "appliances.nas-1={relase: 24.10}",
            "--set appliances.nas-1={relase: 24.10}:1:18: appliances.nas-1.relase: unkn",
        ),
        (
            "appliances.nas-1.tls=yes",
            "--set appliances.nas-1.tls=yes:1:22: appliances.nas-1.tls: must be true or false",
        ),
    ],
)
def test_a_bad_override_is_told_at_the_argument(override: str, told: str) -> None:
    text = with_timeline(SILENCE.replace("nas-1}", "nas-1, id: quiet}"))
    assert told in "\n".join(problems(text, override))
