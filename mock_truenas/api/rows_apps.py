"""How rows of apps change, and how older versions show them (truenas-api 3.8). Knows no call."""

from collections.abc import Mapping
from typing import Any

from mock_truenas.appliance import workloads as fresh_rows
from mock_truenas.appliance.nas import Appliance

Row = dict[str, Any]


def live_on(appliance: Appliance) -> str | None:
    """The pool apps live on: the chosen one, else the first if there are any apps; None where apps are not set up."""
    kept = appliance.base.tables.get("config", {}).get("docker", {})
    if "pool" in kept:
        return None if kept["pool"] is None else str(kept["pool"])
    return next(iter(appliance.base.pools), None) if appliance.base.tables.get("app") else None


def ports_as_text(row: Row) -> Row:
    """An app as 24.10 shows it: port numbers are text."""
    workloads = row["active_workloads"]
    details = [
        {**detail, "port_config": [_port_as_text(port) for port in detail.get("port_config", [])]}
        for detail in workloads["container_details"]
    ]
    used = [_port_as_text(port) for port in workloads["used_ports"]]
    return row | {"active_workloads": {**workloads, "used_ports": used, "container_details": details}}


def _port_as_text(port: Mapping[str, Any]) -> Row:
    hosts = [{**host, "host_port": str(host["host_port"])} for host in port.get("host_ports", [])]
    return {**port, "container_port": str(port["container_port"]), "host_ports": hosts}


def in_state(row: Mapping[str, Any], state: str) -> Row:
    """The fields of an app that change when it is stopped or runs again."""
    images = _images(row)
    fresh = fresh_rows.app(
        row["name"], row.get("version", ""), (images or [row["name"]])[0], port=_port(row), state=state
    )
    workloads = {**fresh["active_workloads"], "images": images}
    if state == "RUNNING" and _runs(row):
        workloads = row["active_workloads"]
    return {"state": state, "active_workloads": workloads}


def upgraded(row: Mapping[str, Any]) -> Row:
    """The fields of an app that change with an upgrade to the version it names as its newest."""
    newest = row.get("latest_version") or row["version"]
    app_version = (row.get("metadata") or {}).get("app_version", newest)
    return {
        **in_state(row, "RUNNING"),
        "version": newest,
        "human_version": f"{app_version}_{newest}",
        "upgrade_available": False,
        "image_updates_available": False,
        "metadata": {**row.get("metadata", {}), "version": newest},
    }


def new_app(name: str, catalog: str | None, train: str, version: str | None) -> Row:
    """A freshly installed app; without a catalogue entry it is a custom one."""
    number = "1.0.0" if version in (None, "latest") else str(version)
    row = fresh_rows.app(name, number, f"{catalog or name}:latest", port=30000 + sum(name.encode()) % 2000)
    metadata = {**row["metadata"], "name": catalog or "custom-app", "train": train}
    return {**row, "metadata": metadata, "custom_app": catalog is None}


def as_chart(row: Row) -> Row:
    """An app as 24.04 shows it: a chart release on Kubernetes."""
    running = row["state"] == "RUNNING"
    workloads = row["active_workloads"]
    metadata = row["metadata"]
    ports = [
        {"port": host["host_port"], "protocol": port["protocol"].upper()}
        for port in workloads["used_ports"]
        for host in port["host_ports"][:1]
    ]
    return {
        "id": row["id"],
        "name": row["name"],
        "info": {"status": "deployed", "notes": row["notes"] or ""},
        "config": row["config"] or {},
        "hooks": [],
        "version": 1,
        "namespace": f"ix-{row['name']}",
        "chart_metadata": {"name": metadata.get("name", row["name"]), "version": row["version"], **metadata},
        "catalog": "TRUENAS",
        "catalog_train": metadata.get("train", "community"),
        "path": f"/mnt/ix-applications/releases/{row['name']}",
        "dataset": f"ix-applications/releases/{row['name']}",
        "status": {"RUNNING": "ACTIVE", "STOPPED": "STOPPED"}.get(row["state"], "DEPLOYING"),
        "used_ports": ports,
        "pod_status": {"desired": 1 if running else 0, "available": int(running)},
        "update_available": row["upgrade_available"],
        "container_images_update_available": row["image_updates_available"],
        "human_version": row["human_version"],
        "human_latest_version": row["human_version"],
        "portals": {label.replace(" ", "_").lower(): [url] for label, url in row["portals"].items()},
    }


def _images(row: Mapping[str, Any]) -> list[str]:
    return list((row.get("active_workloads") or {}).get("images", []))


def _runs(row: Mapping[str, Any]) -> bool:
    return bool((row.get("active_workloads") or {}).get("containers"))


def _port(row: Mapping[str, Any]) -> int:
    ports = (row.get("active_workloads") or {}).get("used_ports", [])
    if ports:
        return int(ports[0]["host_ports"][0]["host_port"])
    # A stopped app tells its port only in the address of its page.
    for url in row.get("portals", {}).values():
        digits = url.rstrip("/").rpartition(":")[2]
        if digits.isdigit():
            return int(digits)
    return 30000
