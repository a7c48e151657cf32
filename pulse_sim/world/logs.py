"""Listens to the standard library's logging during a run and turns each record into template and typed fields (R4)."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

PLAIN: Final = (str, int, float, bool, type(None))
CRASH_LOGGERS: Final = frozenset({"aiohttp.server", "asyncio"})
DEAD_TASK_TEMPLATE: Final = "task %(task)s died: %(exception)s"


class LogTap(logging.Handler):
    """A root handler from :meth:`install` to :meth:`remove`.

    ``listener`` gets ``{level, logger, template, fields}`` of every record at INFO and above.
    """

    def __init__(self, listener: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._listener = listener
        self._level_before = logging.NOTSET

    def install(self) -> None:
        """Begin to listen; INFO and above."""
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(logging.INFO)
        root.addHandler(self)

    def remove(self) -> None:
        """Leave logging as it was found."""
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record on, without the places and addresses a traceback would carry."""
        fields = {key: _plain(value) for key, value in _fields(record.args)}
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = record.exc_info[0].__name__
        entry = {"level": record.levelname, "logger": record.name, "template": str(record.msg), "fields": fields}
        self._listener(entry)

    @staticmethod
    def tells_of_a_crash(entry: Mapping[str, Any]) -> bool:
        """Whether a record of a system says that something in it died unhandled."""
        if entry["template"] == DEAD_TASK_TEMPLATE:
            return True
        return entry["level"] in ("ERROR", "CRITICAL") and entry["logger"] in CRASH_LOGGERS


def _fields(args: Any) -> list[tuple[str, Any]]:
    if isinstance(args, Mapping):
        return sorted((str(key), value) for key, value in args.items())
    return [(str(index), value) for index, value in enumerate(args or ())]


def _plain(value: Any) -> Any:
    """A value of a log field as JSON; of anything else only the type, since a ``repr`` may hold an address."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return value if isinstance(value, PLAIN) else f"<{type(value).__name__}>"
