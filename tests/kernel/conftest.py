"""The fixture every kernel test begins with."""

import pytest

from tests.kernel.testbed import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
