"""One-time passwords as RFC 6238 has them: SHA-1, 30 seconds, six digits."""

import hashlib
import hmac
from typing import Final

_STEP_NS: Final = 30_000_000_000


def one_time_password(secret: bytes, at_ns: int) -> str:
    """The password of an instant, Unix nanoseconds."""
    digest = hmac.digest(secret, (at_ns // _STEP_NS).to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def is_current(secret: bytes, given: str, now_ns: int) -> bool:
    """Whether a password is that of now, or of the step before or after, as clocks differ a little."""
    shown = (one_time_password(secret, max(0, now_ns + step * _STEP_NS)) for step in (-1, 0, 1))
    return any(hmac.compare_digest(one.encode(), given.encode("utf-8", "surrogatepass")) for one in shown)
