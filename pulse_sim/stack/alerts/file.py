"""The alerts on disk: configuration, active and past alerts in one file, so that a restart forgets none of them.

The file holds no secret. One that cannot be read is put aside, not overwritten, because thresholds that an operator set
come back from nowhere else.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulse_sim.stack.alerts.alert import Alert, read_alert
from pulse_sim.stack.alerts.config import AS_DELIVERED, Config, ConfigInvalid, read_config
from pulse_sim.stack.connection import DEFAULT_ORG
from pulse_sim.stack.safe_write import safe_write
from pulse_sim.stack.seams import Disk

ALERTS_FILE: Final = "alerts.json"
DAMAGED: Final = ".damaged"
_VERSION: Final = 1
_log = logging.getLogger("pulse.alerts")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file says; `configs` by organisation, `alerts` in the order they were raised."""

    configs: Mapping[str, Config] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()


class AlertFile:
    """Reads and writes the file. A disk that fails is reported once and tried again at the next save."""

    def __init__(self, disk: Disk, data_dir: str) -> None:
        self._disk = disk
        self._path = f"{data_dir}/{ALERTS_FILE}"
        self._texts: dict[int, tuple[Alert, str]] = {}
        self._failing = False

    def load(self) -> Kept:
        """What was saved last; nothing when there is no file or it cannot be read."""
        try:
            document = json.loads(self._disk.read(self._path))
            if document["version"] != _VERSION:
                raise ValueError("unknown version")
            alerts = tuple(read_alert(record) for record in document["alerts"])
            others = {org: read_config(config) for org, config in document.get("orgs", {}).items()}
            return Kept({DEFAULT_ORG: read_config(document["config"]), **others}, alerts)
        except FileNotFoundError:
            return Kept()
        except OSError as failure:
            self._not("loaded", failure)
        except (
            ConfigInvalid,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as failure:
            self._not("loaded", failure)
            self._put_aside()
        return Kept()

    def save(self, configs: Mapping[str, Config], alerts: Iterable[Alert]) -> bool:
        """Writes everything in one step; whether it is on disk now."""
        own = configs.get(DEFAULT_ORG, AS_DELIVERED)
        head: dict[str, Any] = {"version": _VERSION, "config": own.to_data()}
        others = {org: config.to_data() for org, config in sorted(configs.items()) if org != DEFAULT_ORG}
        if others:
            head["orgs"] = others
        body = ",".join(self._encoded(alerts))
        text = f'{json.dumps(head, separators=(",", ":"))[:-1]},"alerts":[{body}]}}'
        try:
            safe_write(self._disk, self._path, text.encode())
        except OSError as failure:
            if not self._failing:
                self._not("saved", failure)
            self._failing = True
            return False
        self._failing = False
        return True

    def _encoded(self, alerts: Iterable[Alert]) -> list[str]:
        """Alerts as JSON; one that did not change since the last save is not encoded again."""
        texts: dict[int, tuple[Alert, str]] = {}
        for alert in alerts:
            known = self._texts.get(id(alert))
            text = known[1] if known is not None and known[0] is alert else _text(alert.to_record())
            texts[id(alert)] = (alert, text)
        self._texts = texts
        return [text for _, text in texts.values()]

    def _put_aside(self) -> None:
        try:
            self._disk.replace(self._path, self._path + DAMAGED)
        except OSError as failure:
            self._not("put aside", failure)

    def _not(self, done: str, failure: Exception) -> None:
        fields = {"file": ALERTS_FILE, "done": done, "exception": type(failure).__name__}
        _log.error("%(file)s not %(done)s: %(exception)s", fields)


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))
