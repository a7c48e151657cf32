"""Query-filters and query-options as values (truenas-api 2.3, 5.5). How they are read and applied stands elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Options:
    """Query-options. ``limit`` 0 is none; ``select`` keeps the forms of the wire; ``order_by`` names with prefixes."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()
    select: tuple[Any, ...] = ()
    count: bool = False
    get: bool = False
    offset: int = 0
    limit: int = 0


@dataclass(frozen=True)
class Query:
    """Filters as they came, ``[field, op, value]`` and ``["OR", […]]``, and options."""

    filters: tuple[Any, ...] = ()
    options: Options = Options()

    def wanted(self, *names: str) -> Any:
        """The value the first filter demands of one of these fields, else None: a hint where to look."""
        for part in self.filters[:1]:
            if isinstance(part, list | tuple) and len(part) == 3 and part[0] in names and part[1] == "=":
                return part[2]
        return None
