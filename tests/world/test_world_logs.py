"""A log record enters as template and typed fields, the same in every process, and logging is left as it was found."""

import enum
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.canonical import canonical_json
from pulse_sim.observation.shapes import require_shape
from pulse_sim.outcome import Outcome
from pulse_sim.sut.protocol import Place
from pulse_sim.world.logs import LogTap
from tests.run.rehearsal import rehearse, scenario
from tests.sut.plugins import and_then


class Colour(enum.IntEnum):
    RED = 3


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    entries: list[dict[str, Any]] = []
    tap = LogTap(entries.append)
    tap.install()
    yield entries
    tap.remove()


def test_named_fields_keep_their_names_and_types(heard: list[dict[str, Any]]) -> None:
    fields = {"instance": "nas-1", "count": 3, "share": 0.5, "open": True, "none": None}
    logging.getLogger("room").warning("poll of %(instance)s", fields)
    entry = {"level": "WARNING", "logger": "room", "template": "poll of %(instance)s", "fields": fields}
    assert heard == [entry]
    assert [type(value) for value in heard[0]["fields"].values()] == [int, str, type(None), bool, float]


def test_positional_fields_are_numbered(heard: list[dict[str, Any]]) -> None:
    logging.getLogger("room").info("%s of %d", "one", 2)
    assert (heard[0]["template"], heard[0]["fields"]) == ("%s of %d", {"0": "one", "1": 2})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (object(), "<object>"),
        ([1, 2], "<list>"),
        (ValueError("with 0x7f00 in it"), "<ValueError>"),
        (b"bytes", "<bytes>"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**30, "<int>"),
        (Colour.RED, 3),
        ("<Foo object at 0x7f1234abcd>", "<Foo object at 0x…>"),
        ("half \ud800 of a pair", "half ? of a pair"),
    ],
)
def test_no_value_brings_an_address_or_what_json_cannot_carry(
    heard: list[dict[str, Any]], value: object, told: object
) -> None:
    logging.getLogger("room").error("it was %(value)s", {"value": value})
    assert heard[0]["fields"] == {"value": told}
    assert json.loads(canonical_json(heard[0])) == heard[0]
    require_shape("sut", "log", heard[0])


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("finished <Task at 0xdeadbeef>", "finished <Task at 0x…>"),
        (object(), "<object>"),
        (KeyError("secret"), "<KeyError>"),
        ("\udcff", "?"),
    ],
)
def test_nor_does_the_template(heard: list[dict[str, Any]], message: object, told: str) -> None:
    logging.getLogger("room").error(message)
    assert heard[0]["template"] == told


def test_an_exception_is_told_by_its_type_alone(heard: list[dict[str, Any]]) -> None:
    try:
        raise LookupError("with the secret in it")
    except LookupError:
        logging.getLogger("room").exception("could not")
    assert heard[0]["fields"] == {"exception": "LookupError"}
    assert "secret" not in json.dumps(heard)


def test_only_info_and_above_is_heard_even_of_a_talkative_logger(heard: list[dict[str, Any]]) -> None:
    logger = logging.getLogger("room.talkative")
    logger.setLevel(logging.DEBUG)
    try:
        for level in (logging.DEBUG, logging.INFO - 1, logging.INFO, logging.CRITICAL):
            logger.log(level, "x")
    finally:
        logger.setLevel(logging.NOTSET)
    assert [entry["level"] for entry in heard] == ["INFO", "CRITICAL"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.WARNING, logging.CRITICAL])
def test_logging_is_left_as_it_was_found(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", level)
    handlers = list(root.handlers)
    entries: list[dict[str, Any]] = []
    tap = LogTap(entries.append)
    tap.install()
    assert root.level == logging.INFO
    tap.remove()
    tap.remove()
    assert (root.level, root.handlers) == (level, handlers)
    root.error("afterwards")
    assert entries == []


@pytest.mark.parametrize(
    ("entry", "is_crash"),
    [
        ({"template": "task %(task)s died: %(exception)s", "level": "ERROR", "logger": "pulse"}, True),
        ({"template": "Error handling request", "level": "ERROR", "logger": "aiohttp.server"}, True),
        ({"template": "x", "level": "CRITICAL", "logger": "asyncio"}, True),
        ({"template": "x", "level": "WARNING", "logger": "asyncio"}, False),
        ({"template": "Error handling request", "level": "ERROR", "logger": "pulse"}, False),
    ],
)
def test_which_records_tell_of_a_crash(entry: dict[str, Any], is_crash: bool) -> None:
    assert LogTap.tells_of_a_crash(entry) is is_crash


def test_a_run_leaves_no_handler_behind_and_hears_nothing_afterwards(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    rehearse(tmp_path)
    assert (root.level, root.handlers) == before


def test_a_secret_in_a_log_record_fails_the_run(tmp_path: Path) -> None:
    def tell(place: Place) -> None:
        logging.getLogger("plugin").info("token %(token)s", {"token": place.api_token})

    done = rehearse(tmp_path, factory=and_then(tell))
    assert done.outcome_of("no_secret_leaks") is Outcome.FAILED


def test_strange_log_records_do_not_disturb_the_system_that_writes_them(tmp_path: Path) -> None:
    def babble(place: Place) -> None:
        for strange in (object(), "\ud800", 10**40, float("nan"), {1: 2}, "x" * 100_000):
            logging.getLogger("plugin").info("%s", strange)
            logging.getLogger("plugin").info(strange)

    done = rehearse(tmp_path, scenario(), factory=and_then(babble))
    heard = [record for record in done.of("sut/log") if record.data["logger"] == "plugin"]
    assert (len(heard), done.outcome) == (12, Outcome.PASSED)
