"""Places whose value is exchanged for the length of a run and put back afterwards."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

_MISSING: Final[Any] = object()


class PlaceKind(Enum):
    """What holds the value: a module, class, function or object; a list or dict; a closure's cell; a partial."""

    ATTRIBUTE = auto()
    ITEM = auto()
    CELL = auto()
    PARTIAL = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies. ``key`` is the attribute's name, or the index or key of an item."""

    kind: PlaceKind
    holder: Any
    key: Any = None

    def read(self) -> Any:
        """The value; of a partial its function, arguments, keywords and attributes. A class yields it unbound."""
        if self.kind is PlaceKind.ITEM:
            return self.holder[self.key]
        if self.kind is PlaceKind.CELL:
            return self.holder.cell_contents
        if self.kind is PlaceKind.PARTIAL:
            return self.holder.__reduce__()[2]
        own = vars(self.holder).get(self.key, _MISSING) if hasattr(self.holder, "__dict__") else _MISSING
        if own is _MISSING and not isinstance(self.holder, type):
            return getattr(self.holder, self.key, _MISSING)
        return own

    def write(self, value: Any) -> None:
        """Exchange the value."""
        if self.kind is PlaceKind.ITEM:
            self.holder[self.key] = value
        elif self.kind is PlaceKind.CELL:
            self.holder.cell_contents = value
        elif self.kind is PlaceKind.PARTIAL:
            self.holder.__setstate__(value)
        elif value is _MISSING:
            delattr(self.holder, self.key)
        else:
            setattr(self.holder, self.key, value)


class Substitutions:
    """Remembers what every place held; ``restore`` undoes in reverse order, so exchanging one twice is safe."""

    def __init__(self) -> None:
        self._undo: list[tuple[Place, Any]] = []

    def __len__(self) -> int:
        return len(self._undo)

    def set(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute of a module, class or function."""
        self.put(Place(PlaceKind.ATTRIBUTE, target, name), value)

    def put(self, place: Place, value: Any) -> None:
        """Exchange the value of a place."""
        self._undo.append((place, place.read()))
        place.write(value)

    def restore(self) -> None:
        """Put everything back."""
        while self._undo:
            place, before = self._undo.pop()
            place.write(before)
