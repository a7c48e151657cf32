"""Attributes set for the length of a run and put back afterwards."""

from typing import Any, Final

_MISSING: Final[Any] = object()


class Substitutions:
    """Remembers what every attribute was; ``restore`` undoes in reverse order, so setting one twice is safe."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def set(self, target: Any, name: str, value: Any) -> None:
        """Set an attribute of a module, class or function."""
        before = vars(target).get(name, _MISSING) if hasattr(target, "__dict__") else _MISSING
        if before is _MISSING and not isinstance(target, type):
            before = getattr(target, name, _MISSING)
        self._undo.append((target, name, before))
        setattr(target, name, value)

    def restore(self) -> None:
        """Put everything back."""
        while self._undo:
            target, name, before = self._undo.pop()
            if before is _MISSING:
                delattr(target, name)
            else:
                setattr(target, name, before)
