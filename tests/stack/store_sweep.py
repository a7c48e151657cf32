"""Thousands of crashes and of damaged files for the config store. Counts what happened; finds faults, raises none."""

import base64
import contextlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pulse_sim.kernel import Disk
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.store import StoreDamaged
from tests.stack.storebed import ONE, SECRET, Deadly, Died, Place, plaintext, simulated

CRASHES: Final = 1_000
MUTATIONS: Final = 10_000
_LIFE: Final = 20
"""Crashes that one data directory goes through."""
_ORGS: Final = ("default", "default", "acme")
Connections = tuple[Connection, ...]


@dataclass
class Swept:
    """What was tried and how it ended, and every fault in words that lead back to it."""

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def note(self, end: str, seed: str, problems: list[str]) -> None:
        self.ends[end] += 1
        self.faults += (f"{seed}: {problem}" for problem in problems)

    def told(self) -> dict[str, Any]:
        return {"tried": self.ends.total(), **dict(sorted(self.ends.items()))}


def drawn_connections(rng: random.Random, most: int = 9) -> Connections:
    """Some connections; several sectors of a disk when there are many."""
    return tuple(
        Connection(
            id=f"nas-{number}",
            host=f"nas-{number}.lan",
            name="n" * rng.randrange(200),
            api_key=f"{rng.randrange(10**9)}-{SECRET}",
            org="default",
        )
        for number in range(rng.randrange(most))
    )


# ---- crashes


def sweep_crashes(count: int = CRASHES, seed: int = 0, make_place: Callable[[], Place] = simulated) -> Swept:
    """So many processes that die at a random step of what they do to a store, by a kill or with the power."""
    swept = Swept()
    life: Life | None = None
    while swept.ends.total() < count:
        if swept.ends.total() % _LIFE == 0 or life is None:
            life = Life(f"crashes {seed}/{swept.ends.total()}", make_place())
        before = swept.ends.total()
        while swept.ends.total() == before:  # a story may end before its death
            life.story(swept)
    return swept


class Life:
    """One data directory through many deaths. Knows at every moment which sets it may hold, per organisation."""

    def __init__(self, name: str, place: Place) -> None:
        self._name = name
        self._place = place
        self._rng = random.Random(name)
        self._possible: dict[str, set[Connections]] = {"default": {()}, "acme": {()}}
        self._key: bytes | None = None
        self._stories = 0

    def story(self, swept: Swept) -> None:
        """A process opens the store, reads it and writes something else; perhaps it dies. What is left is judged."""
        self._stories += 1
        rng, org = self._rng, self._rng.choice(_ORGS)
        new = tuple(self._of(org, drawn_connections(rng)))
        if self._key is not None and rng.random() < 0.2:
            self._meddle(org, new)
        deadly = Place(Deadly(self._place.disk, rng.randrange(14), rng.choice((0.0, 0.3, 1.0))), self._place.data_dir)
        problems: list[str] = []
        try:
            store = deadly.store(rng.getrandbits(32))
            found = store.load(org)
            if found not in self._possible[org]:
                problems.append("opened with a set that was never saved")
            self._possible[org] = {found}
            self._possible[org].add(new)
            store.save(new, org)
            self._possible[org] = {new}
            end = "finished"
        except Died:
            end = self._lose()
        except StoreDamaged as damage:
            end = "refused"
            problems.append(f"refused: {damage}")
        problems += self._judged()
        seed = f"{self._name} story {self._stories}"
        if end == "finished":
            swept.faults += (f"{seed}: {problem}" for problem in problems)
        else:
            swept.note(end, seed, problems)

    def _of(self, org: str, connections: Connections) -> Iterator[Connection]:
        for each in connections:
            yield Connection(id=each.id, host=each.host, name=each.name, api_key=each.api_key, org=org)

    def _meddle(self, org: str, new: Connections) -> None:
        """An operator removes the file, or puts a plaintext one there, or opens it to others."""
        place, path = self._place, self._place.file
        if org != "default" or "truenas.enc" not in place.files():
            return
        what = self._rng.choice(("remove", "plaintext", "open"))
        if what == "remove":
            place.disk.remove(path)
            place.disk.sync(place.data_dir)
            self._possible[org] = {()}
        elif what == "plaintext":
            place.put(path, plaintext(new))
            self._possible[org] = {new}
        else:
            place.disk.set_mode(path, 0o644)

    def _lose(self) -> str:
        disk = self._place.disk
        power = self._rng.choice(("killed", "power lost", "power torn")) if isinstance(disk, Disk) else "killed"
        if isinstance(disk, Disk) and power != "killed":
            disk.lose_power(self._rng if power == "power torn" else None)
        return power

    def _judged(self) -> list[str]:
        """What is wrong with what is on the disk, as the next process finds it."""
        problems = []
        try:
            store = self._place.store(self._rng.getrandbits(32))
            for org, possible in self._possible.items():
                found = store.load(org)
                if found not in possible:
                    problems.append(f"{org} holds neither the old nor the new set")
                possible.clear()
                possible.add(found)
        except StoreDamaged as damage:
            return [f"not loaded any more: {damage}"]
        files = self._place.files()
        if self._key not in (None, files[".encryption.key"]):
            problems.append("the key was replaced")
        self._key = files[".encryption.key"]
        expected = {".encryption.key", "truenas.enc", "orgs/acme/truenas.enc"}
        problems += [f"{name} was left" for name in files if name not in expected]
        problems += [
            f"{name} is open to others"
            for name in files
            if self._place.disk.mode(f"{self._place.data_dir}/{name}") & 0o77
        ]
        return problems


# ---- damaged files


def sweep_mutations(count: int = MUTATIONS, seed: int = 0, make_place: Callable[[], Place] = simulated) -> Swept:
    """So many data directories in which something is not as it was written."""
    swept = Swept()
    place = make_place()
    place.store()
    key = place.disk.read(place.key)
    for number in range(count):
        name = f"mutations {seed}/{number}"
        rng = random.Random(name)
        data, key_file = _damaged(rng, place, base64.b64decode(key))
        place.put(place.file, data)
        place.put(place.key, _mutated(rng, key, key) if key_file else key)
        end, problems = _tried(place)
        swept.note(end, name, problems)
        place.put(place.key, key)
    return swept


def _damaged(rng: random.Random, place: Place, key: bytes) -> tuple[bytes, bool]:
    """The bytes of a connections file, and whether the key file is damaged as well."""
    text, other = (plaintext((ONE, *drawn_connections(rng))) for _ in range(2))
    kind = rng.choice(("encrypted", "encrypted", "inside", "inside", "plaintext", "foreign", "deep", "key"))
    if kind == "encrypted":
        return _mutated(rng, place.encrypted(text, key), place.encrypted(other, key)), False
    if kind == "inside":
        return place.encrypted(_mutated(rng, text, other), key), False
    if kind == "plaintext":
        return _mutated(rng, text, other), False
    if kind == "foreign":
        return place.encrypted(text, rng.randbytes(32)), False
    if kind == "deep":
        depth = rng.choice((10, 60, 70, 500, 990, 5_000, 100_000))
        nest = rng.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth))
        deep = rng.choice((nest, text.replace(b'"name"', b'"deep":' + nest + b',"name"')))
        return rng.choice((deep, place.encrypted(deep, key))), False
    return place.encrypted(text, key), True


def _mutated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Up to three mutations of the bytes; sometimes none."""
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        data = rng.choice(_MUTATIONS)(rng, data, other)
    return data


def _flipped(rng: random.Random, data: bytes, _: bytes) -> bytes:
    made = bytearray(data)
    for _times in range(rng.randint(1, 8) if made else 0):
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def _zeroed(rng: random.Random, data: bytes, _: bytes) -> bytes:
    at = rng.randrange(0, len(data) + 1, 512)
    return data[:at] + bytes(len(data[at : at + 512])) + data[at + 512 :]


def _spliced(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _torn(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at = rng.randrange(0, len(data) + 1, 512)
    return data[:at] + other[at:]


def _inserted(rng: random.Random, data: bytes, _: bytes) -> bytes:
    at = rng.randint(0, len(data))
    piece = rng.choice(
        (rng.randbytes(rng.randint(1, 40)), b"\0", b" ", b"\xff\xfe", b'"', b"[", b"NaN", b"1e999", b"0")
    )
    return data[:at] + piece + data[at:]


def _retyped(rng: random.Random, data: bytes, _: bytes) -> bytes:
    """One JSON token replaced by another: what gets past every other mutation's syntax error."""
    was = rng.choice(
        (b"true", b"false", b"60", b"30", b'""', b'"nas"', b'"id"', b'"apiKey"', b"443", b'"port"', b'"host"')
    )
    now = rng.choice(
        (b"null", b"0", b"-1", b"1e999", b"[]", b"{}", b'"\\ud800"', b'"id"', b"true", b"9" * 5000, b'"x/y"')
    )
    return data.replace(was, now, rng.choice((1, -1)))


_MUTATIONS: Final[tuple[Callable[[random.Random, bytes, bytes], bytes], ...]] = (
    lambda rng, data, _: data[: rng.randint(0, len(data))],
    lambda rng, data, _: data[rng.randint(0, len(data)) :],
    lambda _rng, data, _: data + data,
    _flipped,
    _zeroed,
    _spliced,
    _torn,
    _inserted,
    _retyped,
    _retyped,
)


def _tried(place: Place) -> tuple[str, list[str]]:
    """How a start on these files ends, and what is wrong with that."""
    before = place.files()
    store = place.unopened(seed=2)
    try:
        store.open()
        found = store.load()
    except StoreDamaged as damage:
        problems = _leaks(damage)
        try:
            store.save([ONE])
            problems.append("saved over what it could not load")
        except StoreDamaged:
            pass
        if place.files() != before:
            problems.append("a file was touched")
        return damage.damage.value, problems
    except Exception as crash:
        return "crash", [f"{type(crash).__name__} from open or load"]
    return "loaded", _misread(place, before, found)


def _leaks(damage: StoreDamaged) -> list[str]:
    """A secret in the error, or in what hangs on it."""
    error: BaseException | None = damage
    while error is not None:
        if SECRET in repr(vars(error)) + str(error):
            return ["a secret in an error"]
        error = error.__cause__ or error.__context__
    return []


def _misread(place: Place, before: dict[str, bytes], found: Connections) -> list[str]:
    """Whether something else was loaded than stands there, or the file does not hold it any longer."""
    problems = []
    was, now = before["truenas.enc"], place.files()
    if now[".encryption.key"] != before[".encryption.key"]:
        problems.append("the key was touched")
    loaded = [(connection.id, connection.api_key) for connection in found]
    if _said(was, base64.b64decode(before[".encryption.key"])) != loaded:
        problems.append("something else was loaded than stands there")
    if was.strip() and was.lstrip()[:1] != b"[" and now.get("truenas.enc", b"") != was:
        problems.append("an encrypted file was rewritten")
    if _said(now.get("truenas.enc", b""), base64.b64decode(now[".encryption.key"])) != loaded:
        problems.append("the file does not hold what was loaded")
    if set(now) != set(before):
        problems.append("files were left")
    return problems


def _said(data: bytes, key: bytes) -> list[tuple[Any, str]]:
    """Ids and API keys in a file; its reader may do without white space round a key."""
    return [(record.get("id"), str(record.get("apiKey", "")).strip()) for record in _read_by_the_contract(data, key)]


def _read_by_the_contract(data: bytes, key: bytes) -> list[Any]:
    """The records, without the store's code; an empty one where the file holds none."""
    if not data.strip():
        return []
    with contextlib.suppress(InvalidTag, ValueError):
        data = AESGCM(key).decrypt(data[:12], data[12:], None)
    try:
        records = json.loads(data)
    except (ValueError, RecursionError):
        records = None
    well = isinstance(records, list) and all(isinstance(record, dict) for record in records)
    return records if well else [{}]
