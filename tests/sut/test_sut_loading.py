"""A name on the command line becomes a factory, or one clear message."""

from pathlib import Path

import pytest

from pulse_sim.sut.loading import UnknownSystem, load_system, package_of
from pulse_sim.sut.reference import ReferenceSystem
from tests.sut import plugins

MODULES = {
    "syntax": "def broken(:\n",
    "raises": "raise ZeroDivisionError('while it is imported')\n",
    "leaves": "raise SystemExit(7)\n",
    "needs": "import no_such_module_anywhere\n",
    "offers": "from pathlib import Path\nnumber = 1\ndef one(place): ...\ndef _hidden(place): ...\nclass Two: ...\n",
    "empty": "",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in MODULES.items():
        (tmp_path / f"plug_in_{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def refusal(name: str) -> str:
    with pytest.raises(UnknownSystem) as refused:
        load_system(name)
    return str(refused.value)


def test_reference_is_our_own_stack() -> None:
    assert load_system("reference") is ReferenceSystem


def test_a_dotted_path_is_the_factory_it_names() -> None:
    assert load_system("tests.sut.plugins:Minimal") is plugins.Minimal


@pytest.mark.parametrize(
    "name", ["", "Reference", "pulse", "tests.broken", "tests.broken:", ":x", "a:b:c", "a b:c", "../x:y", "a:b\n"]
)
def test_what_is_no_dotted_path_is_refused_and_the_form_is_told(name: str) -> None:
    assert refusal(name) == f"--sut {name!r} is neither 'reference' nor 'package.module:factory'"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("syntax", "SyntaxError"),
        ("raises", "ZeroDivisionError: while it is imported"),
        ("leaves", "SystemExit: 7"),
        ("needs", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("is_not_there", "No module named 'plug_in_is_not_there'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_with_the_reason(module: str, why: str) -> None:
    told = refusal(f"plug_in_{module}:factory")
    assert told.startswith(f"--sut plug_in_{module}:factory: module plug_in_{module} cannot be imported (")
    assert why in told


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["three", "number", "_Hidden"])
def test_a_name_that_is_no_factory_is_refused_and_those_that_are_told(name: str) -> None:
    assert refusal(f"plug_in_offers:{name}").endswith(f"has no factory {name!r}; it offers: Two, one")


@pytest.mark.usefixtures("here")
def test_a_module_without_factories_says_so() -> None:
    assert refusal("plug_in_empty:factory").endswith("it offers: none")


@pytest.mark.parametrize(
    ("name", "packages"), [("reference", ()), ("mine:it", ("mine",)), ("tests.broken:no_deadlines", ("tests",))]
)
def test_clocks_are_rebound_in_the_top_package_of_a_plug_in(name: str, packages: tuple[str, ...]) -> None:
    assert package_of(name) == packages
