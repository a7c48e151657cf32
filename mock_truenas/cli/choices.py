"""Choices that several commands offer, checked with one line for a wrong one."""

import ipaddress

from mock_truenas.appliance.releases import Release, find_release
from mock_truenas.cli.complaint import complaint


def release_named(name: str) -> Release:
    """The release somebody asked for."""
    try:
        return find_release(name)
    except ValueError as error:
        raise complaint("--release", name, str(error)) from error


def check_reach(host: str, *, allow_remote: bool, place: str = "--host") -> None:
    """Whether a port may be opened on ``host``."""
    if not allow_remote and not is_loopback(host):
        raise complaint(place, host, "other machines could reach it; use 127.0.0.1, or add --allow-remote")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
