"""How many polls may be under way at once (contract A5). Knows no connection and measures no time."""

from asyncio import Semaphore


class PollSlots:
    """Two lanes of `limit` polls each, first come, first served; whoever waits for a slot is charged no poll time.

    Connections that fail have a lane of their own: those that hang keep a slot until their deadline, and however many
    of them there are, they must not hold up the ones that answer.
    """

    def __init__(self, limit: int) -> None:
        self._sound = Semaphore(limit)
        self._failing = Semaphore(limit)

    def lane(self, consecutive_failures: int) -> Semaphore:
        """The lane for the next poll of a connection; enter it for as long as the poll lasts."""
        return self._failing if consecutive_failures else self._sound
