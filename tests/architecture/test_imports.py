"""Who may import whom (DESIGN section 2), read off the source."""

import pytest

from tests.architecture.house import inside, is_inside, modules, reachable

PURE = ("pulse_sim.checks", "pulse_sim.verdict", "pulse_sim.report", "pulse_sim.evidence", "pulse_sim.observation")
HAPPENING = ("pulse_sim.world", "pulse_sim.run", "pulse_sim.kernel", "pulse_sim.sut", "pulse_sim.stack", "mock_truenas")
SHARED_VALUES = {"pulse_sim", "pulse_sim.canonical", "pulse_sim.outcome", "pulse_sim.units"}
FAULT_TABLES = ("mock_truenas.faults", "pulse_sim.world.faults")


def test_the_mock_is_an_island() -> None:
    for module in inside("mock_truenas"):
        assert not [name for name in module.imports if is_inside(name, "pulse_sim")], module.name


def test_the_stack_is_an_island() -> None:
    for module in inside("pulse_sim.stack"):
        foreign = [name for name in module.imports if not is_inside(name, "pulse_sim.stack")]
        assert not foreign, module.name


@pytest.mark.parametrize("package", PURE)
def test_what_judges_imports_nothing_that_happens_not_even_at_second_hand(package: str) -> None:
    for module in inside(package):
        brought_in = reachable(module.name)
        for forbidden in HAPPENING:
            assert not [name for name in brought_in if is_inside(name, forbidden)], (module.name, forbidden)


def test_the_scenario_room_knows_only_the_two_fault_tables_of_what_happens() -> None:
    for module in inside("pulse_sim.scenario"):
        for name in module.imports:
            if any(is_inside(name, package) for package in HAPPENING):
                assert any(is_inside(name, table) for table in FAULT_TABLES), (module.name, name)


def test_only_the_world_imports_the_mock() -> None:
    for module in inside("pulse_sim"):
        if any(is_inside(name, "mock_truenas") for name in module.imports):
            allowed = is_inside(module.name, "pulse_sim.world") or is_inside(module.name, "pulse_sim.scenario")
            assert allowed, module.name


def test_only_the_reference_adapter_and_the_command_line_import_the_stack() -> None:
    for module in inside("pulse_sim"):
        if is_inside(module.name, "pulse_sim.stack"):
            continue
        if any(is_inside(name, "pulse_sim.stack") for name in module.imports):
            assert module.name == "pulse_sim.sut.reference" or is_inside(module.name, "pulse_sim.cli"), module.name


def test_the_kernel_knows_nothing_of_the_rest() -> None:
    for module in inside("pulse_sim.kernel"):
        foreign = {name for name in module.imports if not is_inside(name, "pulse_sim.kernel")}
        assert foreign <= SHARED_VALUES, module.name


def test_only_the_composition_roots_compose_everything() -> None:
    for module in inside("pulse_sim"):
        if is_inside(module.name, "pulse_sim.cli") or module.name == "pulse_sim.pytest_plugin":
            continue
        assert not any(is_inside(name, "pulse_sim.cli") for name in module.imports), module.name


def test_no_import_goes_in_a_circle() -> None:
    finished: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in finished:
            return
        path.append(name)
        for target in sorted(modules()[name].imports):
            visit(target)
        path.pop()
        finished.add(name)

    for name in modules():
        visit(name)
