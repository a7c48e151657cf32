"""Bundles with something changed in them, drawn from a seed, and what ``verify`` makes of each: never trusted.

The sweeps return the faults they found, so the nightly run can take more of them than ``make test``.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulse_sim.evidence.recheck import NotABundle
from pulse_sim.evidence.verification import Standing, verify_bundle
from tests.evidence.keys import key_file, key_named, signing_with
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal
from tests.evidence.rollout import sealed_verdict


@dataclass(frozen=True)
class Specimens:
    """A run bundle and a verdict bundle of two runs, and the public key of who signed them."""

    run: Path
    verdict: Path
    trusted: bytes
    place: Path

    @property
    def both(self) -> tuple[Path, Path]:
        """The two bundles."""
        return self.run, self.verdict

    def standing(self, bundle: Path) -> Standing | None:
        """What ``verify`` says of a bundle; None when it is none."""
        try:
            return verify_bundle(bundle, [self.trusted]).standing
        except NotABundle:
            return None


@contextmanager
def specimens() -> Iterator[Specimens]:
    """Fresh bundles in a directory of their own, signed by a key of their own."""
    with tempfile.TemporaryDirectory(prefix="pulse-sim-tampering-") as directory:
        place = Path(directory)
        with signing_with(key_file(place, "signer")) as key:
            run = sealed_run(place / "run", environment={"argv": []}).path
            verdict = sealed_verdict(place / "verdict", environment={"argv": []}).path
            yield Specimens(run, verdict, key.public, place)


def files_of(bundle: Path) -> list[Path]:
    """Every file of a bundle, sorted."""
    return sorted(file for file in bundle.rglob("*") if file.is_file())


def sweep_flips(count: int, seed: int = 1) -> list[str]:
    """Flip one byte ``count`` times, every file as often as any other, and put it back; the flips that were trusted.

    Ends with the untouched bundles, which must be trusted, or nothing was shown.
    """
    drawn = random.Random(f"{seed}:flips")
    faults = []
    with specimens() as given:
        files = {bundle: files_of(bundle) for bundle in given.both}
        for number in range(count):
            bundle = given.both[number % 2]
            file = drawn.choice(files[bundle])
            told = _flipped(given, bundle, file, drawn)
            if told:
                faults.append(told)
        faults.extend(
            f"{bundle.name} untouched is not trusted" for bundle in given.both if not _is_trusted(given, bundle)
        )
    return faults


def _flipped(given: Specimens, bundle: Path, file: Path, drawn: random.Random) -> str:
    place, mask = drawn.randrange(file.stat().st_size), drawn.randrange(1, 256)
    with file.open("r+b", buffering=0) as opened:
        before = os.pread(opened.fileno(), 1, place)
        os.pwrite(opened.fileno(), bytes([before[0] ^ mask]), place)
        trusted = _is_trusted(given, bundle)
        os.pwrite(opened.fileno(), before, place)
    return f"{file.relative_to(bundle)}: byte {place} xor {mask:#04x} is trusted" if trusted else ""


def _is_trusted(given: Specimens, bundle: Path) -> bool:
    return given.standing(bundle) is Standing.TRUSTED


Tampering = Callable[[Path, random.Random], None]


def _delete(bundle: Path, drawn: random.Random) -> None:
    drawn.choice(files_of(bundle)).unlink()


def _truncate(bundle: Path, drawn: random.Random) -> None:
    file = drawn.choice(files_of(bundle))
    os.truncate(file, drawn.randrange(file.stat().st_size))


def _lengthen(bundle: Path, drawn: random.Random) -> None:
    with drawn.choice(files_of(bundle)).open("ab") as file:
        file.write(drawn.choice([b"\n", b" ", b"\0", b"{}\n"]))


def _add(bundle: Path, drawn: random.Random) -> None:
    beside = drawn.choice(files_of(bundle))
    beside.with_name(f"extra-{drawn.randrange(10)}{beside.suffix}").write_bytes(drawn.choice([b"", b"{}\n"]))


def _swap(bundle: Path, drawn: random.Random) -> None:
    one, other = drawn.sample(files_of(bundle), 2)
    if one.read_bytes() == other.read_bytes():
        one.unlink()
        return
    aside = bundle / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def _rename(bundle: Path, drawn: random.Random) -> None:
    file = drawn.choice(files_of(bundle))
    file.rename(file.with_name(file.name + ".old"))


def _repeat_key(bundle: Path, drawn: random.Random) -> None:
    """The same key twice in one object: whichever a reader takes, it is another file."""
    file = drawn.choice([file for file in files_of(bundle) if file.suffix == ".json"])
    content = file.read_bytes()
    first = content.index(b":")
    file.write_bytes(content[:first] + b":0," + content[1:first] + content[first:])


def _link(bundle: Path, drawn: random.Random) -> None:
    file = drawn.choice(files_of(bundle))
    outside = bundle.parent / f"outside-{file.name}"
    file.rename(outside)
    file.symlink_to(outside)


def _sign_anew(bundle: Path, drawn: random.Random) -> None:
    """A flip, and everything made to agree and signed by somebody else."""
    file = drawn.choice([file for file in files_of(bundle) if file.name not in ("manifest.json", "attestation.json")])
    content = bytearray(file.read_bytes())
    content[drawn.randrange(len(content))] ^= drawn.randrange(1, 256)
    file.write_bytes(content)
    reseal(bundle, key=key_named(bundle.parent, "somebody-else"))


TAMPERINGS: Final[dict[str, Tampering]] = {
    "delete": _delete,
    "truncate": _truncate,
    "lengthen": _lengthen,
    "add": _add,
    "swap": _swap,
    "rename": _rename,
    "repeat a key": _repeat_key,
    "link": _link,
    "sign anew": _sign_anew,
}


def sweep_tampering(count: int, seed: int = 1) -> list[str]:
    """Tamper with copies ``count`` times, each way as often as any other; what was trusted all the same."""
    faults = []
    with specimens() as given:
        for number in range(count):
            name = list(TAMPERINGS)[number % len(TAMPERINGS)]
            drawn = random.Random(f"{seed}:{number}:{name}")
            bundle = given.both[drawn.randrange(2)]
            elsewhere = given.place / "copies" / str(number)
            copy = Path(shutil.copytree(bundle, elsewhere / bundle.name))
            if not _is_trusted(given, copy):
                faults.append(f"an untouched copy of {bundle.name} is not trusted")
            TAMPERINGS[name](copy, drawn)
            if _is_trusted(given, copy):
                faults.append(f"{name} (seed {seed}, number {number}) in {bundle.name} is trusted")
            shutil.rmtree(elsewhere)
    return faults
