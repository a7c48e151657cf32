"""The appliance knows who used REST: 25.10 tells of it once a day."""

import pytest

from tests.mock_truenas.nases import HOUR
from tests.mock_truenas.wire import API, serving


@pytest.mark.asyncio
async def test_requests_of_those_who_are_let_in_are_counted_with_their_addresses() -> None:
    async with serving() as served:
        for _ in range(3):
            assert (await served.ask(f"{API}/system/info")).status == 200
        assert (await served.ask(f"{API}/pool", headers={"Authorization": ""})).status == 401
        assert (await served.ask(f"{API}/nothing")).status == 404
        served.clock.at_ns += HOUR
        nas = served.nas.appliance
        nas.evolve()
        assert (nas.state.rest_use.count, nas.state.rest_use.addresses) == (3, ("127.0.0.1",))
