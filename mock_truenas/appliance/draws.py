"""Numbers drawn from a seed and what they are for. No draw depends on another, so none can be asked too often."""

import hashlib


def number(seed: int, *purpose: object) -> int:
    """64 bits."""
    text = ":".join(map(str, (seed, *purpose))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def fraction(seed: int, *purpose: object) -> float:
    """From 0 up to, but never, 1."""
    return (number(seed, *purpose) >> 11) / (1 << 53)


def guid(seed: int, *purpose: object) -> str:
    """A guid of ZFS: 63 bits in decimal, the highest of them set."""
    return str(number(seed, *purpose) >> 1 | 1 << 62)


def uuid(seed: int, *purpose: object) -> str:
    """A UUID of the random kind."""
    digits = f"{number(seed, *purpose, 'high'):016x}{number(seed, *purpose, 'low'):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
