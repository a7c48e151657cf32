"""The map of the kernel shows every file of it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_module_of_the_kernel_is_on_the_map_once() -> None:
    chapter = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Inside the kernel")[2]
    named = re.findall(r"`(\w+)`", chapter.partition("\n## ")[0])
    files = (ROOT / "pulse_sim" / "kernel").glob("*.py")
    assert sorted(named) == sorted({file.stem for file in files} - {"__init__", "errors"})
