"""Contract A1: the feature flag, the variants and the rest of the environment."""

import pytest

from pulse_sim.stack.settings import SettingsInvalid, read_settings

OFF, ON, WITHOUT = "truenas-off-by-default", "truenas-on-by-default", "without-truenas"


@pytest.mark.parametrize(
    ("variant", "flag", "enabled"),
    [
        (OFF, None, False),
        (OFF, "", False),
        (OFF, "1", True),
        (OFF, "true", True),
        (OFF, " YES ", True),
        (OFF, "On", True),
        (OFF, "0", False),
        (OFF, "false", False),
        (OFF, "enabled", False),
        (ON, None, True),
        (ON, "  ", True),
        (ON, "true", True),
        (ON, "false", False),
        (ON, "0", False),
        (WITHOUT, "true", False),
    ],
)
def test_the_flag_decides_by_variant(variant: str, flag: str | None, enabled: bool) -> None:
    environ = {} if flag is None else {"PULSE_ENABLE_TRUENAS": flag}
    assert read_settings(environ, variant).truenas_enabled is enabled


def test_defaults_are_those_of_the_contract() -> None:
    settings = read_settings({}, OFF)
    assert (settings.data_dir, settings.bind_address, settings.port) == ("/etc/pulse", "127.0.0.1", 7655)
    assert (settings.multi_tenant, settings.api_token, settings.node_limit) == (False, "", None)


@pytest.mark.parametrize("environ", [{"FRONTEND_PORT": "http"}, {"FRONTEND_PORT": "70000"}, {"PULSE_NODE_LIMIT": "-1"}])
def test_a_number_that_is_none_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match=next(iter(environ))):
        read_settings(environ, OFF)


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="sideways"):
        read_settings({}, "sideways")


def test_the_token_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(read_settings({"PULSE_API_TOKEN": "s3cret"}, OFF))


def test_the_transport_and_the_bound_on_polls_are_settings() -> None:
    settings = read_settings({}, OFF)
    assert (settings.transport, settings.concurrent_polls) == ("auto", 100)
    environ = {"PULSE_TRUENAS_TRANSPORT": " RPC ", "PULSE_TRUENAS_CONCURRENT_POLLS": " 7 "}
    settings = read_settings(environ, OFF)
    assert (settings.transport, settings.concurrent_polls) == ("rpc", 7)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PULSE_TRUENAS_TRANSPORT", "websocket"),
        ("PULSE_TRUENAS_CONCURRENT_POLLS", "0"),
        ("PULSE_TRUENAS_CONCURRENT_POLLS", "10001"),
        ("PULSE_TRUENAS_CONCURRENT_POLLS", "many"),
    ],
)
def test_what_is_no_transport_and_no_bound_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        read_settings({name: text}, OFF)
