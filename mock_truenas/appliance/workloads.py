"""Rows of apps, virtual machines and containers in the newest shape (truenas-api 3.8)."""

from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.appliance.model import Row


def app(
    name: str, version: str, image: str, *, port: int, state: str = "RUNNING", title: str = "", newer: str = ""
) -> Row:
    """An app from the catalogue with one container and one port; ``newer`` is the version it could be upgraded to."""
    called = title or name.capitalize()
    app_version = image.rpartition(":")[2]
    host_ports = [{"host_port": port, "host_ip": address} for address in ("0.0.0.0", "::")]  # noqa: S104
    used = [{"container_port": port, "protocol": "tcp", "host_ports": host_ports}]
    source = f"/mnt/.ix-apps/app_mounts/{name}/config"
    running = state == "RUNNING"
    return {
        "id": name,
        "name": name,
        "state": state,
        "upgrade_available": bool(newer),
        "latest_version": newer or version,
        "image_updates_available": False,
        "custom_app": False,
        "migrated": False,
        "human_version": f"{app_version}_{version}",
        "version": version,
        "metadata": {
            "name": name,
            "title": called,
            "train": "community",
            "app_version": app_version,
            "version": version,
            "description": f"{called} as an app of the community train.",
            "home": f"https://example.org/{name}",
            "icon": f"https://example.org/{name}.png",
            "categories": ["media"],
            "capabilities": [],
            "keywords": [name],
            "maintainers": [{"name": "truenas", "email": "dev@example.org", "url": "https://example.org"}],
            "run_as_context": [{"gid": 568, "group_name": name, "uid": 568, "user_name": name, "description": ""}],
            "screenshots": [],
            "sources": [f"https://example.org/{name}"],
            "last_update": "2025-12-01 00:00:00",
            "lib_version": "2.1.60",
        },
        "active_workloads": {
            "containers": int(running),
            "used_ports": used if running else [],
            "used_host_ips": [],
            "container_details": _containers(name, image, used, source) if running else [],
            "volumes": [_volume(source)] if running else [],
            "images": [image],
            "networks": _networks(name) if running else [],
        },
        "notes": f"# {called}\n\nSee the documentation of the app.\n",
        "portals": {"Web UI": f"http://0.0.0.0:{port}/"},
        "version_details": None,
        "config": None,
    }


def _volume(source: str) -> dict[str, str]:
    return {"source": source, "destination": "/config", "mode": "rw", "type": "bind"}


def _containers(name: str, image: str, ports: list[Any], source: str) -> list[Any]:
    digits = f"{sum(name.encode()) * 0x9E3779B97F4A7C15 & (1 << 64) - 1:016x}"
    return [
        {
            "id": digits * 4,
            "service_name": name,
            "image": image,
            "port_config": ports,
            "state": "running",
            "volume_mounts": [_volume(source)],
        }
    ]


def _networks(name: str) -> list[Any]:
    return [{"Name": f"ix-{name}_default", "Id": f"{sum(name.encode()):064x}", "Labels": {}, "Scope": "local"}]


VM_STOPPED: Final = {"state": "STOPPED", "pid": None, "domain_state": "SHUTOFF"}
NEW_VM: Final[Mapping[str, Any]] = {
    "id": 0,
    "name": "",
    "description": "",
    "vcpus": 1,
    "cores": 1,
    "threads": 1,
    "cpuset": None,
    "nodeset": None,
    "enable_cpu_topology_extension": False,
    "pin_vcpus": False,
    "suspend_on_snapshot": False,
    "trusted_platform_module": False,
    "memory": 1024,
    "min_memory": None,
    "hyperv_enlightenments": False,
    "bootloader": "UEFI",
    "bootloader_ovmf": "OVMF_CODE.fd",
    "autostart": True,
    "hide_from_msr": False,
    "ensure_display_device": True,
    "time": "LOCAL",
    "shutdown_timeout": 90,
    "arch_type": None,
    "machine_type": None,
    "uuid": "",
    "command_line_args": "",
    "cpu_mode": "CUSTOM",
    "cpu_model": None,
    "enable_secure_boot": False,
    "devices": [],
    "display_available": False,
    "status": VM_STOPPED,
}
"""A virtual machine of which nothing is said."""


def vm(
    number: int, name: str, zvol: str, uuid: str, *, memory_mib: int = 4096, vcpus: int = 2, running: bool = True
) -> Row:
    """A virtual machine with one disk and one network card."""
    up = {"state": "RUNNING", "pid": 4200 + number, "domain_state": "RUNNING"}
    return {
        **NEW_VM,
        "id": number,
        "name": name,
        "cores": vcpus,
        "memory": memory_mib,
        "uuid": uuid,
        "cpu_mode": "HOST-PASSTHROUGH",
        "devices": [
            _device(number * 2 - 1, number, 1001, {"dtype": "DISK", "path": f"/dev/zvol/{zvol}", "type": "VIRTIO"}),
            _device(number * 2, number, 1002, {"dtype": "NIC", "type": "VIRTIO", "nic_attach": "eno1", "mac": None}),
        ],
        "status": up if running else VM_STOPPED,
    }


def _device(number: int, vm_number: int, order: int, attributes: Mapping[str, Any]) -> Row:
    return {"id": number, "attributes": dict(attributes), "vm": vm_number, "order": order}


def virt_instance(name: str, pool: str, *, running: bool = True, memory: int | None = None, address: str = "") -> Row:
    """A container of 25.04 and 25.10; without ``memory`` (bytes) it has no limit."""
    return {
        "id": name,
        "name": name,
        "type": "CONTAINER",
        "status": "RUNNING" if running else "STOPPED",
        "cpu": None,
        "memory": memory,
        "autostart": True,
        "environment": {},
        "aliases": [{"type": "INET", "address": address, "netmask": 24}] if address else [],
        "image": {
            "architecture": "amd64",
            "description": "Debian bookworm amd64",
            "os": "Debian",
            "release": "bookworm",
            "serial": "20260101_05:24",
            "type": "squashfs",
            "variant": "default",
            "secureboot": None,
        },
        "userns_idmap": None,
        "raw": None,
        "vnc_enabled": False,
        "vnc_port": None,
        "vnc_password": None,
        "secure_boot": None,
        "privileged_mode": False,
        "root_disk_size": None,
        "root_disk_io_bus": None,
        "storage_pool": pool,
    }


NEW_CONTAINER: Final = {
    "id": 0,
    "uuid": "",
    "name": "",
    "description": "",
    "cpuset": None,
    "autostart": True,
    "time": "LOCAL",
    "shutdown_timeout": 90,
    "dataset": "",
    "init": "/sbin/init",
    "initdir": None,
    "initenv": {},
    "inituser": None,
    "initgroup": None,
    "idmap": {"type": "DEFAULT"},
    "capabilities_policy": "DEFAULT",
    "capabilities_state": {},
    "devices": [],
    "status": VM_STOPPED,
}
"""What a container says that does not name it."""


def container(number: int, name: str, dataset: str, uuid: str, *, running: bool = True) -> Row:
    """A container of 26."""
    given = {"id": number, "uuid": uuid, "name": name, "dataset": dataset}
    status = {
        "state": "RUNNING" if running else "STOPPED",
        "pid": 5200 + number if running else None,
        "domain_state": "RUNNING" if running else "SHUTOFF",
    }
    return {**NEW_CONTAINER, **given, "status": status}
