"""Listens to the standard library's logging during a run and turns each record into template and typed fields (R4)."""

import logging
import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

LARGEST_INTEGER: Final = 2**63
_ADDRESS: Final = re.compile(r"\b0x[0-9a-fA-F]+")
CRASH_LOGGERS: Final = frozenset({"aiohttp.server", "asyncio"})
DEAD_TASK_TEMPLATE: Final = "task %(task)s died: %(exception)s"


class LogTap(logging.Handler):
    """A root handler from :meth:`install` to :meth:`remove`.

    ``listener`` gets ``{level, logger, template, fields}`` of every record at INFO and above.
    """

    def __init__(self, listener: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._listener = listener
        self._level_before: int | None = None

    def install(self) -> None:
        """Begin to listen; INFO and above."""
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(logging.INFO)
        root.addHandler(self)

    def remove(self) -> None:
        """Leave logging as it was found; does nothing when not installed."""
        root = logging.getLogger()
        root.removeHandler(self)
        if self._level_before is not None:
            root.setLevel(self._level_before)
            self._level_before = None

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record on, without the places and addresses a traceback would carry."""
        fields = {key: _plain(value) for key, value in _fields(record.args)}
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = record.exc_info[0].__name__
        template = _plain(record.msg)
        entry = {"level": record.levelname, "logger": _text(record.name), "template": str(template), "fields": fields}
        self._listener(entry)

    @staticmethod
    def tells_of_a_crash(entry: Mapping[str, Any]) -> bool:
        """Whether a record of a system says that something in it died unhandled."""
        if entry["template"] == DEAD_TASK_TEMPLATE:
            return True
        return entry["level"] in ("ERROR", "CRITICAL") and entry["logger"] in CRASH_LOGGERS


def _fields(args: Any) -> list[tuple[str, Any]]:
    if isinstance(args, Mapping):
        return sorted(((_text(str(key)), value) for key, value in args.items()), key=itemgetter(0))
    return [(str(index), value) for index, value in enumerate(args or ())]


def _plain(value: Any) -> Any:
    """A value of a log record as JSON; of anything that is none only the type, since a ``repr`` may hold an address."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value if -LARGEST_INTEGER <= value < LARGEST_INTEGER else "<int>"
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return value if value is None else f"<{type(value).__name__}>"


def _text(value: str) -> str:
    """Text that is the same in every process and that UTF-8 can carry: addresses and lone surrogates are replaced."""
    return _ADDRESS.sub("0x…", value).encode("utf-8", "replace").decode()
