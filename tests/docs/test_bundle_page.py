"""The page on bundles names every file a bundle may hold."""

from pulse_sim.evidence import names
from pulse_sim.evidence.command_files import COMMANDS
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS
from tests.cli.command import ROOT

NOT_IN_A_BUNDLE = {names.LATEST, names.PARTIAL}


def test_every_file_of_a_bundle_is_described() -> None:
    page = (ROOT / "docs" / "bundle.md").read_text("utf-8")
    called = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    told = (called - NOT_IN_A_BUNDLE) | {COMMANDS, OBSERVATIONS, JOURNAL}
    assert not [name for name in sorted(told) if f"`{name}`" not in page and f"`{name}/`" not in page]
