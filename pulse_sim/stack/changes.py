"""Who is told when resources change. Knows neither the registry nor what a listener does with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Resources of an organisation that look different now, and those that are gone; sorted canonical ids."""

    org: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]


Listener = Callable[[Change], None]


class Listeners:
    """Listeners in the order in which they subscribed. They are called at once and must neither wait nor raise."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        """Whether anybody listens, so that nobody works for none."""
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells `listener` from now on; call what is returned to end that, once."""
        entry: Listener = lambda change: listener(change)  # noqa: E731 - one object per subscription
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry)

    def tell(self, org: str, changed: Iterable[str], removed: Iterable[str] = ()) -> None:
        """Tells everybody, unless nothing changed."""
        change = Change(org, tuple(sorted(set(changed))), tuple(sorted(set(removed))))
        if change.changed or change.removed:
            for listener in tuple(self._listeners):
                listener(change)
