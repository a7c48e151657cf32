"""The values that move by themselves, at one instant, and templates that are rendered once and filled often."""

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

from mock_truenas.api.answer import render
from mock_truenas.appliance.nas import Appliance


@dataclass(frozen=True)
class Moment:
    """What the clock decides; in the moment of a template ``now_ns`` is None and the values are marks to be filled.

    ``now_ns`` is the appliance's own time, ``datetime_ms`` what its wall clock shows.
    """

    now_ns: int | None
    uptime: Any
    uptime_seconds: Any
    load_1: Any
    load_5: Any
    load_15: Any
    datetime_ms: Any
    hrtime: Any

    @classmethod
    def of(cls, appliance: Appliance, now_ns: int) -> "Moment":
        """The moment at ``now_ns``."""
        uptime_ns = appliance.uptime_ns(now_ns)
        seconds, rest_ns = divmod(uptime_ns, 1_000_000_000)
        load_1, load_5, load_15 = appliance.load_average(now_ns)
        return cls(
            now_ns=now_ns,
            uptime=str(timedelta(seconds=seconds, microseconds=rest_ns // 1000)),
            uptime_seconds=uptime_ns / 1e9,
            load_1=load_1,
            load_5=load_5,
            load_15=load_15,
            datetime_ms=date_ms(now_ns + appliance.state.host.clock_offset_ns),
            hrtime=uptime_ns,
        )


def date_ms(instant_ns: int) -> int:
    """Milliseconds as 24.10 prints them in ``$date``: floored to whole seconds (truenas-api 2.2)."""
    return instant_ns // 1_000_000_000 * 1000


def date(instant_ns: int) -> dict[str, int]:
    """A date object."""
    return {"$date": date_ms(instant_ns)}


_MARK: Final = "\ue000"
_NAMES: Final = tuple(field.name for field in fields(Moment) if field.name != "now_ns")
MARKS: Final = Moment(None, **{name: f"{_MARK}{name}{_MARK}" for name in _NAMES})
_MARKED: Final = re.compile(r'"\\ue000([a-z_0-9]+)\\ue000"')


class Template:
    """JSON text with gaps for the values of a moment."""

    def __init__(self, value: Any) -> None:
        parts = _MARKED.split(render(value).decode())
        self._texts = [text.encode() for text in parts[::2]]
        self._gaps = parts[1::2]

    def fill(self, moment: Moment) -> bytes:
        """The text at a moment."""
        pieces = [self._texts[0]]
        for name, text in zip(self._gaps, self._texts[1:], strict=True):
            pieces += (_json(getattr(moment, name)), text)
        return b"".join(pieces)


def _json(value: str | float) -> bytes:
    """JSON of a moment's value: text without quotes in it, or a finite number. json.dumps takes five times as long."""
    return f'"{value}"'.encode() if isinstance(value, str) else repr(value).encode()
