"""The values that move by themselves, at one instant, and templates that are rendered once and filled often."""

import operator
import re
from datetime import timedelta
from typing import Any, Final, NamedTuple

from mock_truenas.appliance.nas import Appliance


class Moment(NamedTuple):
    """What the clock decides; in the moment of a template ``now_ns`` is None and the values are marks to be filled.

    ``now_ns`` is the appliance's own time, ``datetime_ms`` what its wall clock shows. A named tuple, because one is
    made for every request.
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
_NAMES: Final = tuple(name for name in Moment._fields if name != "now_ns")
MARKS: Final = Moment(None, **{name: f"{_MARK}{name}{_MARK}" for name in _NAMES})
_MARKED: Final = re.compile(r'"\\ue000([a-z_0-9]+)\\ue000"')


class Template:
    """The JSON text of a value in the moment of templates, with gaps for those of another moment."""

    def __init__(self, text: bytes) -> None:
        parts = _MARKED.split(text.decode())
        self._format = "%s".join(text.replace("%", "%%") for text in parts[::2])
        gaps = parts[1::2]
        # Of a single name it would give the bare value; asked for twice, the second goes unused below.
        self._read = operator.attrgetter(*gaps, *gaps[:1]) if gaps else None
        self._count = len(gaps)

    def fill(self, moment: Moment) -> bytes:
        """The text at a moment."""
        values = self._read(moment)[: self._count] if self._read is not None else ()
        return (self._format % tuple(map(_json, values))).encode()


def _json(value: str | float) -> str:
    """JSON of a moment's value: text without quotes in it, or a finite number. json.dumps takes five times as long."""
    return f'"{value}"' if isinstance(value, str) else repr(value)
