"""What holds for commands that a test calls inside its own process."""

import pytest

from pulse_sim.cli import options


@pytest.fixture(autouse=True)
def admitted_in_development_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite also runs under ``-X dev``, which commands refuse; their runs happen in workers that are without it."""
    monkeypatch.setattr(options, "refuse_development_mode", lambda: None)
