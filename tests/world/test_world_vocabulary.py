"""What a scenario may write about an appliance is what the mock can be."""

from dataclasses import fields
from typing import get_args

from mock_truenas.appliance.fixtures import FIXTURES
from mock_truenas.appliance.releases import RELEASES
from mock_truenas.behaviour import AS_DELIVERED
from mock_truenas.behaviour import Behaviour as Switches
from pulse_sim.scenario.model import Behaviour
from pulse_sim.scenario.vocabulary import Fixture, Release


def test_every_release_the_mock_serves_can_be_written_and_no_other() -> None:
    assert get_args(Release) == tuple(RELEASES)


def test_every_fixture_that_can_be_written_exists() -> None:
    assert set(get_args(Fixture)) <= set(FIXTURES)


def test_the_switches_of_behaviour_are_the_mocks_own_with_its_defaults() -> None:
    assert Behaviour().model_dump() == {field.name: getattr(AS_DELIVERED, field.name) for field in fields(Switches)}
