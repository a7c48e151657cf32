"""What each entry of the catalogue looks like to a client of raw bytes. Data: who does what, and what comes of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_truenas.behaviour import Behaviour
from mock_truenas.faults import CATALOGUE, Recipe
from tests.mock_truenas.faults.box import QUICK, Box

Seen = Callable[[Box, Recipe], Awaitable[Any]]
RECIPES = {entry.number: entry.recipes for entry in CATALOGUE}


@dataclass(frozen=True)
class Case:
    """``act`` injects the recipe and tells what it saw; ``proof`` are fields of the journal entry that names the fault.

    ``timed``: it takes time, so that it runs in the simulation only.
    """

    number: str
    act: Seen
    seen: Any
    proof: Mapping[str, Any]
    recipe: int = 0
    release: str = "25.04"
    timed: bool = False
    behaviour: Behaviour = QUICK
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> Recipe:
        recipe = RECIPES[self.number][self.recipe]
        return Recipe(recipe.kind, {**recipe.parameters, **self.more})

    def __str__(self) -> str:
        return f"{self.number}-{self.given.kind}-{self.recipe}-{self.release}"


def page(status: int, reason: str) -> bytes:
    """nginx's stock page (truenas-api 1), written anew here."""
    title = f"{status} {reason}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def error(code: int, message: str, id_: int | None = 2) -> dict[str, Any]:
    """An error without data."""
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": id_}


def refused(reply: Any) -> tuple[Any, ...]:
    """Code, errno, name and reason of an error reply."""
    told = reply["error"]
    data = told.get("data", {})
    return told["code"], data.get("error"), data.get("errname"), data.get("reason")
