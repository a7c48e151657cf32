"""``app.*``, and what is around it: images, the catalogue, Docker; on 24.04 ``chart.release.*`` (truenas-api 3.8)."""

import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem, ValidationErrors
from mock_truenas.api.methods.method import Access, Call, JobPlan, Kind, Method, Param
from mock_truenas.api.methods.tables import Row, Table, config, constant, fields_of, given_object, job, readers, shaped
from mock_truenas.api.rows_apps import as_chart, in_state, live_on, new_app, ports_as_text, upgraded
from mock_truenas.appliance.nas import Appliance

TABLE: Final = Table(
    "app",
    "App",
    {
        "id": "",
        "name": "",
        "state": "STOPPED",
        "upgrade_available": False,
        "latest_version": None,
        "image_updates_available": False,
        "custom_app": False,
        "migrated": False,
        "human_version": "",
        "version": "",
        "metadata": {},
        "active_workloads": {
            "containers": 0,
            "used_ports": [],
            "used_host_ips": [],
            "container_details": [],
            "volumes": [],
            "images": [],
            "networks": [],
        },
        "notes": None,
        "portals": {},
        "version_details": None,
        "config": None,
    },
    str,
    older=(("ports_as_text", ports_as_text),),
)
_ROLES: Final = frozenset({"APPS_WRITE"})
_TRAIN: Final = "community"


def _rows(call: Call) -> list[Row]:
    rows = TABLE.all(call)
    for key, option in (("config", "retrieve_config"), ("version_details", "include_app_schema")):
        asked = call.extra.get(option) is True
        for row in rows:
            row[key] = (row[key] or {}) if asked else None
    return rows


def _app(call: Call, argument: str = "app_name") -> Mapping[str, Any]:
    return TABLE.one(call, call.arguments[argument])


def _later(
    takes_s: float, words: str, change: Callable[[Call, Appliance, Mapping[str, Any]], Any], meanwhile: str = ""
) -> Callable[[Call], JobPlan]:
    """A job on one app, which is in state ``meanwhile`` until it is done."""

    def run(call: Call) -> JobPlan:
        name = _app(call)["name"]

        def finish(appliance: Appliance) -> Any:
            row = TABLE.kept(appliance).get(name)
            if row is None:
                raise CallError(f"App {name} was deleted meanwhile", errno.ENOENT)
            return change(call, appliance, row)

        if meanwhile:
            call.appliance.change_row("app", name, state=meanwhile)
        return job(takes_s, finish, f"{words} {name}", f"{words} {name}", f"{words} {name}: waiting for containers")

    return run


def _become(state: str) -> Callable[[Call, Appliance, Mapping[str, Any]], None]:
    def change(call: Call, appliance: Appliance, row: Mapping[str, Any]) -> None:
        del call
        appliance.change_row("app", row["name"], **in_state(row, state))

    return change


def _redeploy(call: Call, appliance: Appliance, row: Mapping[str, Any]) -> Row:
    appliance.change_row("app", row["name"], **in_state(row, "RUNNING"))
    return TABLE.shown(call, TABLE.one(call, row["name"]))


def _upgrade(call: Call) -> JobPlan:
    row = _app(call)
    if not row.get("upgrade_available"):
        raise CallError("No upgrade available for app")

    def change(call: Call, appliance: Appliance, row: Mapping[str, Any]) -> Row:
        appliance.change_row("app", row["name"], **upgraded(row))
        return TABLE.shown(call, TABLE.one(call, row["name"]))

    return _later(20, "Upgrading", change, "DEPLOYING")(call)


def _create(call: Call) -> JobPlan:
    given = call.arguments["app_create"]
    name = given["app_name"]
    if name in TABLE.kept(call.appliance):
        raise ValidationErrors.one("app_create.app_name", f"App with name {name} already exists", errno.EEXIST)
    catalog = given.get("catalog_app")
    if catalog is None and not given.get("custom_app", False):
        raise ValidationErrors.one("app_create.catalog_app", "This field is required", errno.EINVAL)

    def finish(appliance: Appliance) -> Row:
        if name in TABLE.kept(appliance):
            raise CallError(f"App with name {name} already exists", errno.EEXIST)
        row = new_app(name, catalog, given.get("train") or _TRAIN, given.get("version"))
        appliance.insert_row("app", row, key=name)
        return TABLE.shown(call, row)

    return job(20, finish, f"Creating {name}", "Initial validation completed", "Creating app resources")


def _delete(call: Call) -> JobPlan:
    name = TABLE.one(call, call.arguments["app_name"])["name"]

    def finish(appliance: Appliance) -> bool:
        if name not in TABLE.kept(appliance):
            raise CallError(f"App {name} was deleted meanwhile", errno.ENOENT)
        appliance.delete_row("app", name)
        return True

    return job(10, finish, f"Deleting {name}", "Deleting app resources")


def _summary(call: Call) -> Row:
    row = _app(call)
    if not row.get("upgrade_available"):
        raise CallError("No upgrade available for app")
    newest = row.get("latest_version")
    human = upgraded(row)["human_version"]
    return {
        "latest_version": newest,
        "latest_human_version": human,
        "upgrade_version": newest,
        "upgrade_human_version": human,
        "changelog": None,
        "available_versions_for_upgrade": [{"version": newest, "human_version": human}],
    }


def _container_ids(call: Call) -> dict[str, Row]:
    details = TABLE.shown(call, _app(call))["active_workloads"]["container_details"]
    alive = call.arguments["options"].get("alive_only", True)
    return {
        detail["id"]: {name: detail[name] for name in ("service_name", "image", "state", "id")}
        for detail in details
        if not alive or detail["state"] == "running"
    }


def _images(call: Call) -> list[Row]:
    named = sorted({image for row in TABLE.all(call) for image in row["active_workloads"]["images"]})
    return [
        {
            "id": f"sha256:{call.appliance.new_uuid('image', image).replace('-', '') * 2}",
            "repo_tags": [image],
            "repo_digests": [],
            "size": 180_000_000 + 7_000_000 * len(image),
            "dangling": False,
            "update_available": False,
            "created": "2025-11-02T08:00:00",
            "author": "",
            "comment": "",
            "parsed_repo_tags": [],
        }
        for image in named
    ]


def _used_ports(call: Call) -> list[int]:
    ports = (port for row in TABLE.kept(call.appliance).values() for port in row["active_workloads"]["used_ports"])
    return sorted({int(host["host_port"]) for port in ports for host in port["host_ports"]})


def _available(call: Call) -> list[Row]:
    """The catalogue, as far as it is known: the apps that are installed."""
    return [
        {
            "name": row["metadata"].get("name", row["name"]),
            "title": row["metadata"].get("title", row["name"]),
            "train": row["metadata"].get("train", _TRAIN),
            "installed": True,
            "healthy": True,
            "healthy_error": None,
            "latest_version": row["latest_version"] or row["version"],
            "latest_app_version": row["metadata"].get("app_version", ""),
            "latest_human_version": row["human_version"],
            "description": row["metadata"].get("description", ""),
            "categories": row["metadata"].get("categories", []),
            "recommended": False,
        }
        for row in ({**TABLE.blank, **kept} for kept in TABLE.kept(call.appliance).values())
    ]


def _update(call: Call, appliance: Appliance, row: Mapping[str, Any]) -> Row:
    values = call.arguments["update"].get("values", {})
    appliance.change_row("app", row["name"], config=values, **in_state(row, "RUNNING"))
    return TABLE.shown(call, TABLE.one(call, row["name"]))


def _docker_status(call: Call) -> Row:
    if live_on(call.appliance) is None:
        return {"description": "Application(s) have not been configured", "status": "UNCONFIGURED"}
    if call.appliance.state.host.state != "READY":
        return {"description": "Application(s) are being started", "status": "PENDING"}
    return {"description": "Application(s) are currently running", "status": "RUNNING"}


def _docker(call: Call, row: Mapping[str, Any]) -> Row:
    pool = live_on(call.appliance)
    return {**row, "pool": pool, "dataset": f"{pool}/ix-apps" if pool else None}


def _sound_docker(call: Call, given: Mapping[str, Any]) -> Iterable[Problem]:
    pool = given.get("pool")
    if pool is not None and pool not in call.appliance.state.pools:
        yield "pool", "Pool not found.", errno.ENOENT


_DOCKER: Final = {
    "id": 1,
    "enable_image_updates": True,
    "pool": None,
    "dataset": None,
    "nvidia": False,
    "address_pools": [{"base": "172.17.0.0/12", "size": 24}],
    "cidr_v6": "fdd0::/64",
    "registry_mirrors": [],
}


def _charts(call: Call) -> list[Row]:
    return [_chart(call, row) for row in TABLE.kept(call.appliance).values()]


def _chart(call: Call, row: Mapping[str, Any]) -> Row:
    return shaped(call, "chart.release", as_chart({**TABLE.blank, **row}))


def _scale(call: Call) -> JobPlan:
    row = TABLE.one(call, call.arguments["release_name"])
    wanted = call.arguments["scale_options"].get("replica_count", 1)

    def finish(appliance: Appliance) -> Row:
        kept = TABLE.kept(appliance).get(row["name"])
        if kept is None:
            raise CallError(f"{row['name']} was deleted meanwhile", errno.ENOENT)
        appliance.change_row("app", row["name"], **in_state(kept, "RUNNING" if wanted else "STOPPED"))
        return {"before_scale": {}, "after_scale": {}}

    return job(5, finish, f"Scaling {row['name']}")


def _job(name: str, doc: str, run: Callable[[Call], JobPlan], *accepts: Param, **more: Any) -> Method:
    return Method(name, doc, run, accepts, access=Access.WRITE, roles=_ROLES, job=True, **more)


_ALLOWED_NAME = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")]
_NEW: Final = given_object(
    "app_create",
    {
        "custom_app": bool,
        "values": dict[str, Any],
        "custom_compose_config": dict[str, Any],
        "custom_compose_config_string": str,
        "catalog_app": str | None,
        "app_name": _ALLOWED_NAME,
        "train": str,
        "version": str,
    },
    {"app_name"},
    {"custom_app": False, "train": _TRAIN, "version": "latest", "values": {}},
)
_NAME: Final = Param("app_name", str)
_OPTIONS: Final = Param("options", dict[str, Any], {})
_CHANGE: Final = given_object(
    "app_update", {"values": dict[str, Any], "custom_compose_config": dict[str, Any]}, (), {"values": {}}
)

METHODS: Final[tuple[Method, ...]] = (
    Method("app.query", "Apps", _rows, kind=Kind.QUERY, roles=readers(_ROLES), filterable=True, moving="never"),
    _job("app.create", "Install an app", _create, Param("app_create", _NEW), kind=Kind.CREATE),
    _job(
        "app.update",
        "Change an app's values",
        _later(10, "Updating", _update, "DEPLOYING"),
        _NAME,
        Param("update", _CHANGE, {}),
        kind=Kind.UPDATE,
        item=True,
    ),
    _job("app.delete", "Remove an app", _delete, _NAME, _OPTIONS, kind=Kind.DELETE, item=True),
    _job("app.start", "Start an app", _later(5, "Starting", _become("RUNNING"), "DEPLOYING"), _NAME),
    _job("app.stop", "Stop an app", _later(5, "Stopping", _become("STOPPED"), "STOPPING"), _NAME),
    _job("app.redeploy", "Deploy an app anew", _later(10, "Redeploying", _redeploy, "DEPLOYING"), _NAME),
    _job("app.pull_images", "Fetch an app's images", _later(10, "Pulling", _become("RUNNING")), _NAME, _OPTIONS),
    _job("app.upgrade", "Upgrade an app to its newest version", _upgrade, _NAME, _OPTIONS),
    Method("app.upgrade_summary", "What an upgrade brings", _summary, (_NAME, _OPTIONS), moving="never"),
    Method(
        "app.config",
        "An app's values",
        lambda call: dict(_app(call).get("config") or {}),
        (_NAME,),
        moving="never",
    ),
    Method("app.container_ids", "Containers of an app", _container_ids, (_NAME, _OPTIONS), moving="never"),
    Method("app.used_ports", "Ports in use by apps", _used_ports, moving="never"),
    Method("app.image.query", "Container images", _images, kind=Kind.QUERY, filterable=True, moving="never"),
    Method("app.available", "Apps of the catalogue", _available, filterable=True, moving="never"),
    constant("app.categories", "Categories of the catalogue", ["media", "networking", "productivity"]),
    constant("app.outdated_docker_images", "Images with a newer version", [], _NAME),
    constant("app.rollback_versions", "Versions an app can go back to", [], _NAME),
    *config("catalog", {"id": "TRUENAS", "label": "TRUENAS", "preferred_trains": [_TRAIN], "location": "/var/catalog"}),
    constant("catalog.trains", "Trains of the catalogue", ["stable", _TRAIN, "enterprise"]),
    Method("docker.status", "Whether apps can run", _docker_status),
    *config(
        "docker",
        _DOCKER,
        whole=_docker,
        fields=fields_of(_DOCKER, "dataset", pool=str | None, registry_mirrors=list[dict[str, Any]]),
        check=_sound_docker,
    ),
    Method("chart.release.query", "Chart releases", _charts, kind=Kind.QUERY, filterable=True, moving="never"),
    _job(
        "chart.release.scale",
        "Start or stop a chart release",
        _scale,
        Param("release_name", str),
        Param("scale_options", given_object("scale_options", {"replica_count": int}, {"replica_count"}, {})),
    ),
    constant("kubernetes.status", "Whether apps can run", {"status": "RUNNING", "description": ""}),
)
