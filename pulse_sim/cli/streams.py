"""Standard streams that outlive their reader: ``pulse-sim verdict … | head -1`` ends with the verdict's own status.

A command's exit status is its answer (DESIGN 4.1) and must not depend on how much of its output somebody read. Knows no
command.
"""

import errno
import io
import sys
from typing import Any, Final, TextIO

_GONE: Final = (errno.EPIPE, errno.ECONNRESET)


class _Unread(io.FileIO):
    """A file descriptor whose writes succeed also when nobody reads them any more; other trouble stays trouble."""

    def write(self, data: Any, /) -> int:
        """The number of bytes taken; all of them once the reader has gone."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return memoryview(data).nbytes


def outlive_readers() -> None:
    """Replace standard output and error by streams that do not fail when their reader has gone."""
    sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


def _outliving(stream: TextIO) -> TextIO:
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):  # none at all, or one that is no file
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Unread(descriptor, "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream is sys.stderr or stream.isatty(),
        write_through=stream is sys.stderr,
    )
