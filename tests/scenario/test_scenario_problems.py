"""Every problem of a scenario file is told at once, with its place and a way out."""

from pathlib import Path

import pytest

from pulse_sim.scenario.load import load_scenario, load_scenarios
from pulse_sim.scenario.problem import DocumentError
from tests.scenario.files import CHECKS, HEAD, SMALL, problems, with_timeline

FIVE_MISTAKES = """\
version: 1
id: five-mistakes
title: Five mistakes
hypothesis: They are told together.
start: 2026-02-09T00:00:00Z
duration: 25min
appliances:
  nas-1: {release: 24.10, fixture: baseline, tls: "no"}
connections:
  nas-1: {appliance: nas-1, pol_interval: 60s}
timeline:
  - {at: 5m, for: 1m, fault: http.silence, on: nas-1, id: silence}
  - {at: 8m, for: 1m, fault: http.silence, on: nas-1, id: silence}
abort: safety
checks:
  - {check: never_crashes}
"""


def test_unknown_key_bad_duration_wrong_type_duplicate_id_and_unquoted_release_come_in_one_go(tmp_path: Path) -> None:
    file = tmp_path / "five.yaml"
    file.write_text(FIVE_MISTAKES)
    with pytest.raises(DocumentError) as caught:
        load_scenario(file)
    assert [(problem.line, problem.column, problem.path, problem.suggestion) for problem in caught.value.problems] == [
        (6, 11, "duration", "25m"),
        (8, 20, "appliances.nas-1.release", '"24.10"'),
        (8, 51, "appliances.nas-1.tls", "false"),
        (10, 29, "connections.nas-1.pol_interval", "poll_interval"),
        (13, 59, "timeline[1].id", None),
    ]
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    assert [problem.message for problem in caught.value.problems] == [
        "'25min' is not a duration; write it like 90s, 5m, 5m30s or 48h",
        "must be text, but 24.10 without quotes is a number; write it in quotes",
        "must be true or false, not 'no'",
        "unknown key 'pol_interval'",
        "duplicate id 'silence', already that of timeline[0]",
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "{at: 5m, for: 1m, fault: http.delai, on: nas-1, with: {}}",
            ["13:30: timeline[0].fault: unknown fault kind 'http.delai'", "(did you mean http.delay?)"],
        ),
        (
            "{at: 5m, for: 1m, fault: http.delay, on: nas-1, with: {dely: 5s}}",
            ["13:53: timeline[0].with.delay: missing key 'delay'", "13:60: timeline[0].with.dely: unknown key 'dely'"],
        ),
        (
            "{at: 5m, for: 1m, fault: http.delay, on: nas-1, with: {delay: 5 s}}",
            ["13:67: timeline[0].with.delay: '5 s' is not a duration", "(did you mean 5s?)"],
        ),
        ("{at: 5m, for: 1m, fault: http.delay, on: nas-1}", ["13:5: timeline[0].with.delay: missing key 'delay'"]),
        (
            "{at: 5m, for: 1m, fault: http.silence, on: nas-2}",
            ["13:48: timeline[0].on: unknown appliance 'nas-2'; known: nas-1 (did you mean nas-1?)"],
        ),
        ("{at: 5m, for: 1m, fualt: http.silence, on: nas-1}", ["13:23: timeline[0].fualt: unknown key 'fualt' (did"]),
        ("{at: 5m, for: 0s, fault: http.silence, on: nas-1}", ["13:19: timeline[0].for: 0s is not between"]),
        (
            "{at: 5m, for: 1m, fault: http.silence, on: nas-1, do: test_connection}",
            ["13:14: timeline[0].for: unknown key 'for'", "timeline[0].fault: unknown key 'fault'"],
        ),
        ("{at: 5m}", ["13:5: timeline[0]: an entry is a mapping with either fault or do"]),
        ("soon", ["13:5: timeline[0]: an entry is a mapping with either fault or do, not 'soon'"]),
        (
            "{at: 59m, for: 2m, fault: http.silence, on: nas-1}",
            ["13:20: timeline[0].for: the window ends at 1h1m, past the end of the run at 1h"],
        ),
        (
            "{at: 50m, for: 2m1s, fault: http.silence, on: nas-1}",
            [
                "6:11: duration: the run ends 7m59s after the last window (timeline[0], until 52m1s); "
                "two poll intervals and 6m must follow it (did you mean 1h1s?)"
            ],
        ),
        (
            "{at: 5m, for: 2m, fault: http.silence, on: nas-1, repeat: {every: 2m, times: 3}}",
            ["13:71: timeline[0].repeat.every: every 2m leaves no gap between windows of 2m"],
        ),
        (
            "{at: 5m, for: 2m, fault: http.silence, on: nas-1, repeat: {every: 10m, times: 7}}",
            ["13:63: timeline[0].repeat: the window ends at 1h7m, past the end of the run at 1h"],
        ),
        ("{at: 5m, do: ad_connection}", ["13:18: timeline[0].do: unknown action 'ad_connection'", "add_connection?)"]),
        (
            "{at: 5m, do: add_connection, with: {id: nas-1, appliance: nas-9, poll_intervall: 5s}}",
            [
                "13:45: timeline[0].with.id: connection 'nas-1' exists already at that time",
                "13:63: timeline[0].with.appliance: unknown appliance 'nas-9'",
                "13:70: timeline[0].with.poll_intervall: unknown key 'poll_intervall' (did you mean poll_interval?)",
            ],
        ),
        ("{at: 5m, do: remove_connection, with: {id: nas-2}}", ["13:48: timeline[0].with.id: unknown connection"]),
        ("{at: 5m, do: update_connection, with: {id: nas-1}}", ["timeline[0].with: update_connection changes nothing"]),
        ("{at: 1h, do: restart_system}", ["13:10: timeline[0].at: not before the end of the run at 1h"]),
        (
            "{at: 1m, do: restart_system, system: pulze}",
            ["13:42: timeline[0].system: unknown system 'pulze'; known: pulse (did you mean pulse?)"],
        ),
        (
            "{at: 1m, do: restart_system, with: {environment: {PULSE_DATA_DIR: /x}}}",
            ["13:55: timeline[0].with.environment.PULSE_DATA_DIR: PULSE_DATA_DIR is set by the world"],
        ),
    ],
)
def test_a_wrong_timeline_entry_is_told_with_its_place(entry: str, told: list[str]) -> None:
    found = "\n".join(problems(with_timeline(entry)))
    assert found
    for words in told:
        assert words in found


def test_a_window_that_leaves_exactly_two_intervals_and_six_minutes_is_accepted() -> None:
    assert problems(with_timeline("{at: 50m, for: 2m, fault: http.silence, on: nas-1}")) == []


def test_the_longest_poll_interval_counts_for_settling_also_one_set_later() -> None:
    text = with_timeline(
        "{at: 40m, for: 2m, fault: http.silence, on: nas-1}",
        "{at: 1m, do: update_connection, with: {id: nas-1, poll_interval: 10m}}",
    )
    assert problems(text)[0].endswith("(did you mean 1h8m?)")


def test_a_connection_is_not_touched_before_it_is_added_nor_after_it_is_removed() -> None:
    text = with_timeline(
        "{at: 5m, do: test_connection, with: {id: late}}",
        "{at: 6m, do: add_connection, with: {id: late, appliance: nas-1}}",
        "{at: 7m, do: remove_connection, with: {id: late}}",
        "{at: 8m, do: disable_connection, with: {id: late}}",
    )
    assert problems(text) == [
        "s.yaml:13:46: timeline[0].with.id: connection 'late' does not exist at that time",
        "s.yaml:16:49: timeline[3].with.id: connection 'late' does not exist at that time",
    ]


def test_the_same_fault_twice_at_the_same_time_needs_an_id() -> None:
    entry = "{at: 5m, for: 1m, fault: http.silence, on: nas-1}"
    assert problems(with_timeline(entry, entry)) == [
        "s.yaml:14:5: timeline[1]: the same as timeline[0] at the same time; give one of them an id"
    ]


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("{check: poll_erors, connection: nas-1}", "13:13: checks[0].check: unknown check 'poll_erors' (did you mean"),
        ("{chek: no_leaks}", "13:6: checks[0].chek: unknown key 'chek' (did you mean check?)"),
        ("{connection: nas-1}", "13:5: checks[0]: missing key 'check'"),
        ("{check: [no_leaks]}", "13:13: checks[0].check: must be text, not a list"),
        ("no_leaks", "13:5: checks[0]: must be a mapping, not 'no_leaks'"),
        (
            "{check: no_leaks, tolerence: 3}",
            "13:23: checks[0].tolerence: unknown key 'tolerence' (did you mean tolerance?)",
        ),
        (
            "{check: poll_errors, connection: nas-9, error_type: auth, at_least: 1}",
            "13:38: checks[0].connection: unknown connection 'nas-9'; known: nas-1 (did you mean nas-1?)",
        ),
        (
            "{check: poll_errors, connection: nas-1, error_type: authh, at_least: 1}",
            "13:57: checks[0].error_type: 'authh' is not one of",
        ),
        ("{check: poll_errors, connection: nas-1, error_type: auth}", "13:5: checks[0]: give at_least or at_most"),
        (
            "{check: poll_errors, connection: nas-1, error_type: auth, at_least: 1, between: [5m]}",
            "13:85: checks[0].between: item 2 is missing",
        ),
        (
            "{check: poll_errors, connection: nas-1, error_type: auth, at_least: 1, between: [5m, 2h]}",
            "13:90: checks[0].between[1]: 2h is past the end of the run at 1h",
        ),
        (
            "{check: isolation, undisturbed: [nas-1, nas-3]}",
            "13:45: checks[0].undisturbed[1]: unknown connection 'nas-3'",
        ),
        (
            "{check: request_rate, appliance: nas, at_most_per_minute: 3}",
            "13:38: checks[0].appliance: unknown appliance",
        ),
        ("{check: never_crashes, system: puls}", "13:36: checks[0].system: unknown system 'puls'"),
        (
            "{check: resource_status, resource: nas-7/pool:tank, is: online, at: 5m}",
            "13:40: checks[0].resource: unknown",
        ),
    ],
)
def test_a_wrong_check_is_told_with_its_place(check: str, told: str) -> None:
    assert told in "\n".join(problems(HEAD + f"checks:\n  - {check}\n"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALL.replace("abort: safety\n", ""), "1:1: abort: missing key 'abort'; write safety, standard, a list of"),
        (
            SMALL.replace("abort: safety", "abort:"),
            "11:1: abort: must be safety, standard, a list of criteria, or none written out, not nothing",
        ),
        (
            SMALL.replace("safety", "safty"),
            "11:8: abort: 'safty' is not one of 'safety', 'standard' or 'none' (did you",
        ),
        (SMALL.replace("safety", "[crash, corupption]"), "11:16: abort[1]: 'corupption' is not one of"),
        (SMALL.replace("safety", "[]"), "11:8: abort: must not be empty"),
        (
            SMALL + "expect_abort: {criterion: auth_errors, between: [5m, 9m]}\n",
            "14:27: expect_abort.criterion: 'auth_err",
        ),
        (
            SMALL + "expect_abort: {criterion: crash, between: [9m, 5m]}\n",
            "14:43: expect_abort.between: the second time",
        ),
        (SMALL + "settle_after_abort: 5m\n", "14:1: settle_after_abort: there is no rollback for it to follow"),
        (
            SMALL.replace("safety", "none") + "rollback: [{after: 1m, do: kill_system}]\n",
            "14:1: rollback: nothing aborts a run with abort: none",
        ),
        (SMALL + "rollback: [{after: 1m, do: kill_sytem}]\n", "(did you mean kill_system?)"),
        (SMALL + "rollback: [{after: 1m, do: ask_system}]\n", "rollback[0].with.path: missing key 'path'"),
        (
            SMALL + "rollback: [{after: 1m, do: remove_connection, with: {id: nas-2}}]\n",
            "14:58: rollback[0].with.id: unknown connection 'nas-2'",
        ),
        (
            SMALL + "rollback: [{after: 1m, do: restart_system, system: other}]\n",
            "14:52: rollback[0].system: unknown system 'other'",
        ),
        (SMALL + "rollback: [{at: 1m, do: kill_system}]\n", "14:13: rollback[0].at: unknown key 'at'"),
        (
            SMALL.replace("no_leaks", "rolled_back, by: disable"),
            "13:13: checks[0].check: rolled_back needs a rollback and an expect_abort",
        ),
        (HEAD, "1:1: checks: missing key 'checks'; a scenario that checks nothing shows nothing"),
        (HEAD + "checks: []\n", "12:9: checks: must not be empty"),
        (SMALL.replace("version: 1", "version: 2"), "1:10: version: "),
        (SMALL.replace("2026-02-09", "2026-02-30"), "5:8: start: '2026-02-30T00:00:00Z' is not an instant"),
        (SMALL.replace("2026-02-09", "1999-02-09"), "5:8: start: the year must lie between 2000 and 2098"),
        (SMALL.replace("duration: 1h", "duration: 60"), "6:11: duration: 60 is not a duration; write it with a unit"),
        (SMALL.replace("duration: 1h", "duration: 400d"), "6:11: duration: 9600h is not between 1s and 8784h"),
        (SMALL.replace("baseline", "small-ofice"), "(did you mean small-office?)"),
        (
            SMALL.replace('"24.10"', '"24.1"'),
            "8:20: appliances.nas-1.release: '24.1' is not one of '24.04', '24.10', '25.0",
        ),
        (SMALL.replace("id: small", "id: Not An Id"), "2:5: id: 'Not An Id' is not an id here; use lower-case words"),
        (SMALL.replace("  nas-1: {release", "  NAS_1: {release"), "8:3: appliances.NAS_1: 'NAS_1' is not an id here"),
        (
            SMALL.replace("{appliance: nas-1}", "{appliance: nas-7}"),
            "10:22: connections.nas-1.appliance: unknown applia",
        ),
        (
            SMALL.replace("{appliance: nas-1}", "{appliance: nas-1, poll_interval: 1500ms}"),
            "is not a whole number of sec",
        ),
        (SMALL.replace("{appliance: nas-1}", "{appliance: nas-1, poll_interval: 2h}"), "2h is not between 1s and 1h"),
        (SMALL + "systems: {other: {}}\n", "10:3: connections.nas-1.system: unknown system 'pulse'; known: other"),
        (
            SMALL + "systems: {pulse: {environment: {PULSE_API_TOKEN: x}}}\n",
            "14:33: systems.pulse.environment.PULSE_API_",
        ),
        (SMALL + "sampling: {metrics: 10ms}\n", "14:21: sampling.metrics: 10ms is not between 1s and 24h"),
        (SMALL.replace("A small scenario", "24.10"), "must be text, but 24.10 without quotes is a number"),
        (SMALL.replace("A small scenario", "''"), "3:8: title: must not be empty"),
        (SMALL + "timeline: {at: 5m}\n", "14:11: timeline: must be a list, not a mapping"),
        (SMALL.replace("nas-1", "pulse"), "8:3: appliances.pulse: 'pulse' is the name of a system; choose another"),
        (SMALL.replace("nas-1", "operator"), "8:3: appliances.operator: 'operator' is the name of the world; choose"),
        (
            SMALL + "systems: {localhost: {}}\n",
            "14:11: systems.localhost: 'localhost' is the name of the world; choose",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_a_way_out(text: str, told: str) -> None:
    assert told in "\n".join(problems(text))


def test_problems_are_sorted_by_place() -> None:
    found = problems(FIVE_MISTAKES.replace("duration: 25min\n", "duraton: 25m\n"))
    lines = [int(problem.split(":")[1]) for problem in found]
    assert lines == sorted(lines)
    assert found[0].startswith("s.yaml:1:1: duration: missing key")
    assert "s.yaml:6:1: duraton: unknown key 'duraton' (did you mean duration?)" in found


def test_a_fault_kind_the_world_lacks_is_a_problem_of_that_world_only() -> None:
    text = with_timeline("{at: 5m, for: 1m, fault: http.silence, on: nas-1}")
    assert problems(text, world="simulated") == []
    assert problems(text, world="dreamt") == [
        "s.yaml:13:30: timeline[0].fault: fault kind http.silence is not supported in the dreamt world"
    ]


def test_a_fault_of_tls_needs_an_appliance_that_serves_it() -> None:
    text = with_timeline("{at: 5m, for: 1m, fault: tls.stalled, on: nas-1}")
    assert problems(text) == [
        "s.yaml:13:30: timeline[0].fault: fault kind tls.stalled needs an appliance with tls: true"
    ]
    assert problems(text.replace("fixture: baseline", "fixture: baseline, tls: true")) == []


def test_a_clock_is_stepped_on_a_system_and_everything_else_happens_to_an_appliance() -> None:
    step = with_timeline("{at: 5m, for: 1m, fault: clock.step, on: pulse, with: {by: 1h}}")
    assert problems(step) == []
    assert problems(step.replace("on: pulse", "on: nas-1")) == [
        "s.yaml:13:46: timeline[0].on: unknown system 'nas-1'; known: pulse"
    ]
    assert len(problems(step.replace("clock.step", "net.down").replace(", with: {by: 1h}", ""))) == 1


def test_several_files_are_judged_together_and_share_no_id(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first.yaml", "second.yaml", "third.yaml"))
    first.write_text(SMALL)
    second.write_text(SMALL.replace("duration: 1h", "duration: 1x"))
    third.write_text(SMALL)
    with pytest.raises(DocumentError) as caught:
        load_scenarios([first, second, third, tmp_path / "fourth.yaml"])
    assert [(Path(problem.file).name, problem.line, problem.column) for problem in caught.value.problems] == [
        ("second.yaml", 6, 11),
        ("third.yaml", 2, 5),
        ("fourth.yaml", 1, 1),
    ]
    assert caught.value.problems[1].message == f"duplicate scenario id 'small', already that of {first}"


def test_a_hostile_name_cannot_write_to_the_terminal() -> None:
    found = problems(HEAD + CHECKS + '"\\e[2J\\e]0;x\\a": 1\n')
    assert len(found) == 1
    assert found[0].isprintable()
