"""The table of `make bench`: goals judged, figures missing, and the last committed ones beside them."""

import io
import json

import pytest
from rich.console import Console

from benchmarks.figures import Figure, NotMeasured, Samples
from benchmarks.results import committed, describe, figures_of
from benchmarks.speed import Bench, absolute_rows, ratio_rows
from benchmarks.table import Goal, Row, cells, table

MISSING = NotMeasured("no Python of 3.12 or later is installed")


@pytest.mark.parametrize(
    ("goal", "value", "judged"),
    [
        (Goal(at_least=1.7), 1.7, "met"),
        (Goal(at_least=1.6), 1.2, "short by 25.0 %"),
        (Goal(at_most=12), 12.0, "met"),
        (Goal(at_most=12), 15.0, "short by 25.0 %"),
        (Goal(), 3.0, "told"),
    ],
)
def test_a_goal_is_met_or_missed_by_a_part_of_itself(goal: Goal, value: float, judged: str) -> None:
    assert goal.judged(value) == judged


def test_a_row_shows_its_goal_its_median_its_spread_and_what_was_committed_last() -> None:
    row = Row("fresh", "fresh connection", "×", Goal(at_least=1.7), Samples((1.0, 2.0, 3.0, 4.0, 5.0)))

    assert cells(row, {"fresh": {"median": 2.0}}) == (
        "fresh connection",
        "≥ 1.7",
        "3 ×",
        "2–4 in 1–5",
        "met",
        "2 (+50 %)",
    )
    assert cells(row, {"other": {"median": 2.0}})[-1] == ""


def test_a_figure_that_could_not_be_taken_shows_why_and_is_not_judged() -> None:
    row = Row("peer", "against a peer", "×", Goal(at_least=1.5), MISSING)

    assert cells(row, {"peer": {"median": 1.6}}) == (
        "against a peer",
        "≥ 1.5",
        "not measured",
        MISSING.reason,
        "",
        "1.6",
    )
    assert row.to_data() == {"title": "against a peer", "unit": "×", "goal": "≥ 1.5", "not_measured": MISSING.reason}


def test_the_table_says_all_of_it_in_print() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(table("Goals", [Row("a", "first", "CPU s", Goal(at_most=12), Samples((15.0,)))], {}))
    shown = console.export_text()

    assert all(part in shown for part in ("Goals", "first", "≤ 12", "15 CPU s", "one run", "short by 25.0 %"))


def test_ratios_pair_engines_under_one_python_and_a_goal_holds_for_the_first_pair_it_names() -> None:
    benches = [
        Bench("loopback", "3.11", MISSING),
        Bench("simulation", "3.11", MISSING),
        Bench("loopback", "3.12", MISSING),
        Bench("simulation", "3.12", MISSING),
        Bench("simloop", "3.12", MISSING),
    ]
    figures: dict[str, Figure] = {
        "loopback 3.11": Samples((1.0,)),
        "simulation 3.11": Samples((2.0,)),
        "loopback 3.12": Samples((1.0,)),
        "simulation 3.12": Samples((3.0,)),
        "simloop 3.12": MISSING,
    }

    rows = {row.key: row for row in ratio_rows({"fresh": figures}, benches)}

    assert rows["fresh simulation/loopback 3.11"].figure == Samples((2.0,))
    assert rows["fresh simulation/loopback 3.11"].goal == Goal(at_least=1.7)
    assert rows["fresh simulation/loopback 3.12"].figure == Samples((3.0,))
    assert rows["fresh simulation/loopback 3.12"].goal == Goal()
    assert rows["fresh simulation/simloop 3.12"].figure is MISSING
    assert [row.key for row in absolute_rows({"fresh": figures})] == [f"fresh {key}" for key in figures]


def test_results_of_an_older_shape_compare_with_nothing() -> None:
    assert figures_of('{"figures": {"a": {"median": 1}}}') == {"a": {"median": 1}}
    for told in ("", "[]", "{}", '{"figures": 3}', '{"simulation_to_loopback": 1.1}'):
        assert figures_of(told) == {}


def test_a_sitting_says_how_where_and_of_what_it_was() -> None:
    told = json.loads(json.dumps(describe([Bench("simloop", "3.12", MISSING)])))

    assert told["command"] == "make bench"
    assert told["python"] == []
    assert told["machine"]["cores"] >= 1
    assert all("median" in figure or "not_measured" in figure for figure in committed().values())
