"""Every adapter keeps the protocol: the reference, its deliberately broken variants, and a foreign system."""

from pulse_sim.sut.protocol import Place, SystemUnderTest
from pulse_sim.sut.reference import ReferenceSystem
from tests import broken
from tests.sut.conformance import Conformance
from tests.sut.plugins import Minimal


class TestReference(Conformance):
    def make(self, place: Place) -> SystemUnderTest:
        return ReferenceSystem(place)


class TestForeign(Conformance):
    def make(self, place: Place) -> SystemUnderTest:
        return Minimal(place)


class TestReferenceWithAnotherPart(Conformance):
    """A broken stack breaks its promises to operators, not to those who run it."""

    def make(self, place: Place) -> SystemUnderTest:
        return broken.no_reconnect(place)
