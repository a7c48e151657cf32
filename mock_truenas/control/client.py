"""A client of the control API for the command line; standard library only. Raises one line when something is wrong."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

_TIMEOUT_S: Final = 10.0
_LARGEST: Final = 64 << 20


class ControlRefused(Exception):
    """What went wrong, in one line."""


@dataclass(frozen=True)
class ControlClient:
    """Talks to ``url`` with the token in ``token_file``."""

    url: str
    token_file: Path

    def get(self, *path: str) -> Any:
        """Raises ControlRefused."""
        return self._ask("GET", path)

    def post(self, *path: str, body: Any = None) -> Any:
        """Raises ControlRefused."""
        return self._ask("POST", path, body)

    def delete(self, *path: str) -> Any:
        """Raises ControlRefused."""
        return self._ask("DELETE", path)

    def _ask(self, verb: str, path: tuple[str, ...], body: Any = None) -> Any:
        where = urlsplit(self.url)
        try:
            known = where.scheme == "http" and where.hostname is not None and where.path in ("", "/")
            port = where.port
        except ValueError:
            known = False
        if not known or where.hostname is None:
            raise ControlRefused(f"--control {self.url}: is no address such as http://127.0.0.1:8081")
        connection = http.client.HTTPConnection(where.hostname, port or 80, timeout=_TIMEOUT_S)
        target = "/v1/" + "/".join(quote(part, safe="") for part in path)
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(verb, target, sent, {"Authorization": f"Bearer {self._token()}"})
            answer = connection.getresponse()
            told = json.loads(answer.read(_LARGEST))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ControlRefused(f"--control {self.url}: no control API answers there: {reason}") from error
        except ValueError as error:
            raise ControlRefused(f"--control {self.url}: is something else than a control API") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise ControlRefused(str(told.get("message", answer.status)) if isinstance(told, dict) else str(told))
        return told

    def _token(self) -> str:
        try:
            text = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no token"
            raise ControlRefused(f"--token-file {self.token_file}: cannot be read: {reason}") from error
        if not text.isalnum():
            raise ControlRefused(f"--token-file {self.token_file}: holds something else than a token")
        return text
