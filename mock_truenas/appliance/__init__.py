"""The NAS itself: its state, how it evolves in time, how it is built. No input or output."""

from mock_truenas.appliance.build import build_appliance
from mock_truenas.appliance.builder import NasBuilder
from mock_truenas.appliance.fixtures import FIXTURES
from mock_truenas.appliance.nas import Appliance

__all__ = ["FIXTURES", "Appliance", "NasBuilder", "build_appliance"]
