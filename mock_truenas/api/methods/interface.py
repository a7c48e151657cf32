"""``interface.*`` and ``network.*``: links, addresses, and what the machine is called (truenas-api 3.8)."""

import errno
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import CallError, Problem
from mock_truenas.api.methods.method import Access, Call, Method, Param
from mock_truenas.api.methods.tables import Extras, Row, Table, Writing, config, constant, crud, fields_of

_STATE: Final = {
    "name": "",
    "orig_name": "",
    "description": "",
    "mtu": 1500,
    "cloned": False,
    "flags": ["UP", "BROADCAST", "RUNNING", "MULTICAST"],
    "nd6_flags": [],
    "capabilities": [],
    "link_state": "LINK_STATE_UP",
    "media_type": "Ethernet",
    "media_subtype": "1000Mb/s Twisted Pair",
    "active_media_type": "Ethernet",
    "active_media_subtype": "1000Mb/s Twisted Pair",
    "supported_media": ["1000baseT/Full", "100baseT/Full"],
    "media_options": None,
    "link_address": "00:00:00:00:00:00",
    "permanent_link_address": None,
    "hardware_link_address": "00:00:00:00:00:00",
    "rx_queues": 8,
    "tx_queues": 8,
    "aliases": [],
    "vrrp_config": None,
}
_BLANK: Final = {
    "id": "",
    "name": "",
    "fake": False,
    "type": "PHYSICAL",
    "state": _STATE,
    "aliases": [],
    "ipv4_dhcp": False,
    "ipv6_auto": False,
    "description": "",
    "mtu": None,
    "vlan_parent_interface": None,
    "vlan_tag": None,
    "vlan_pcp": None,
    "lag_protocol": None,
    "lag_ports": [],
    "bridge_members": [],
    "enable_learning": None,
}
# Which keys a row has depends on what kind of interface it is.
_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "VLAN": frozenset({"vlan_parent_interface", "vlan_tag", "vlan_pcp"}),
    "LINK_AGGREGATION": frozenset({"lag_protocol", "lag_ports"}),
    "BRIDGE": frozenset({"bridge_members", "enable_learning"}),
}
_OF_KINDS: Final = frozenset().union(*_ONLY.values())
_PREFIXES: Final = {"BRIDGE": "br", "LINK_AGGREGATION": "bond", "VLAN": "vlan"}


def by_kind(row: Row) -> Row:
    """A row without the keys of other kinds; its state is complete."""
    meant = _ONLY.get(row["type"], frozenset())
    state = {**_STATE, "name": row["name"], "orig_name": row["name"], **row["state"]}
    return {name: value for name, value in row.items() if name not in _OF_KINDS or name in meant} | {"state": state}


TABLE: Final = Table("interface", "Interface", _BLANK, str, whole=by_kind)


def _sound(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    kept = TABLE.kept(call.appliance)
    name = given.get("name")
    if name and name in kept and key is None:
        yield "name", "Interface name is already in use", errno.EEXIST
    if key is None and not name and given.get("type") in _PREFIXES and len(kept) > 9999:
        yield "name", "Unable to find an available interface name", errno.EINVAL
    for field in ("bridge_members", "lag_ports"):
        for member in given.get(field, []):
            if member not in kept:
                yield field, f"Not a valid interface: {member}", errno.EINVAL
    parent = given.get("vlan_parent_interface")
    if parent is not None and parent not in kept:
        yield "vlan_parent_interface", "VLAN parent interface not found", errno.ENOENT


def _named(call: Call, row: Row) -> Row:
    kept, prefix = TABLE.kept(call.appliance), _PREFIXES.get(row["type"], "eth")
    free = next(f"{prefix}{number}" for number in range(len(kept) + 1) if f"{prefix}{number}" not in kept)
    name = row["name"] or free
    return row | {"id": name, "name": name, "state": {**_STATE, "name": name, "orig_name": name, "cloned": True}}


def _only_virtual(call: Call, row: Mapping[str, Any]) -> None:
    del call
    if row.get("type", "PHYSICAL") == "PHYSICAL":
        raise CallError("Only bridge, lagg and vlan interfaces can be deleted")


def _addresses(call: Call, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (str(row["name"]), alias)
        for row in TABLE.kept(call.appliance).values()
        for alias in row.get("state", {}).get("aliases") or row.get("aliases", [])
        if alias.get("type") == kind
    ]


def _in_use(call: Call) -> list[Row]:
    shown = []
    wanted = call.arguments["options"]
    for kind, flag in (("INET", "ipv4"), ("INET6", "ipv6")):
        if wanted.get(flag, True):
            shown += [{"broadcast": "", **alias} for _, alias in _addresses(call, kind)]
    return shown


def _choices(call: Call) -> dict[str, str]:
    return {str(name): str(name) for name in TABLE.kept(call.appliance)}


def _summary(call: Call) -> dict[str, Any]:
    found: dict[str, dict[str, list[str]]] = {}
    for kind, label in (("INET", "IPV4"), ("INET6", "IPV6")):
        for name, alias in _addresses(call, kind):
            texts = found.setdefault(name, {}).setdefault(label, [])
            texts.append(f"{alias['address']}/{alias.get('netmask', 24)}")
    kept = call.appliance.state.tables.get("config", {}).get("network.configuration", {})
    settings = _routed(call, {**_NETWORK, **kept})
    servers = [settings[f"nameserver{number}"] for number in (1, 2, 3)]
    return {
        "ips": found,
        "default_routes": [settings["ipv4gateway"]] if settings["ipv4gateway"] else [],
        "nameservers": [server for server in servers if server],
    }


def _routed(call: Call, row: Row) -> Row:
    """Until somebody says otherwise, the router has the first address of the first network, and serves names."""
    addresses = _addresses(call, "INET")
    router = f"{addresses[0][1]['address'].rpartition('.')[0]}.1" if addresses else ""
    return row | {name: router for name in ("ipv4gateway", "nameserver1") if row[name] is None}


def _whole_network(call: Call, row: Row) -> Row:
    row = _routed(call, row)
    name = call.appliance.state.host.hostname
    names = ("ipv4gateway", "ipv6gateway", "nameserver1", "nameserver2", "nameserver3")
    state = {name: row[name] for name in names} | {"hosts": row["hosts"]}
    return row | {"hostname": name, "hostname_local": name, "state": state}


def _renamed(call: Call, given: Mapping[str, Any]) -> None:
    if "hostname" in given:
        call.appliance.change_host(hostname=given["hostname"])


_HOSTNAME: Final = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
_NETWORK: Final = {
    "id": 1,
    "hostname": "truenas",
    "domain": "local",
    "ipv4gateway": None,
    "ipv6gateway": "",
    "nameserver1": None,
    "nameserver2": "",
    "nameserver3": "",
    "httpproxy": "",
    "hosts": [],
    "domains": [],
    "service_announcement": {"netbios": False, "mdns": True, "wsd": True},
    "activity": {"type": "DENY", "activities": []},
    "hostname_local": "truenas",
    "state": {},
}
_ROLES: Final = frozenset({"NETWORK_INTERFACE_WRITE"})
_Mtu = Annotated[int, Field(ge=68, le=9216)]
_FORM: Final = Writing(
    "interface",
    fields_of(
        _BLANK,
        "fake state",
        type=Literal["BRIDGE", "LINK_AGGREGATION", "VLAN"],
        name=Annotated[str, Field(max_length=15)],
        aliases=list[dict[str, Any]],
        mtu=_Mtu | None,
        lag_ports=list[str],
        bridge_members=list[str],
        lag_protocol=Literal["LACP", "FAILOVER", "LOADBALANCE", "NONE"] | None,
        vlan_tag=Annotated[int, Field(ge=1, le=4094)] | None,
        vlan_pcp=Annotated[int, Field(ge=0, le=7)] | None,
        vlan_parent_interface=str | None,
        enable_learning=bool | None,
    ),
    frozenset({"type"}),
    check=_sound,
    fixed=frozenset({"type", "name"}),
)

METHODS: Final[tuple[Method, ...]] = (
    *crud(TABLE, _FORM, extras=Extras(_ROLES, complete=_named, may_go=_only_virtual)),
    Method("interface.ip_in_use", "Addresses in use", _in_use, (Param("options", dict[str, Any], {}),), moving="never"),
    Method(
        "interface.choices", "Names of interfaces", _choices, (Param("options", dict[str, Any], {}),), moving="never"
    ),
    constant("interface.has_pending_changes", "Whether changes await a commit", value=False),
    constant("interface.checkin_waiting", "Seconds left to confirm a commit", None),
    constant("interface.checkin", "Confirm a commit", None, access=Access.WRITE, roles=_ROLES),
    constant(
        "interface.commit",
        "Apply pending changes",
        None,
        Param("options", dict[str, Any], {}),
        access=Access.WRITE,
        roles=_ROLES,
    ),
    Method("network.general.summary", "Addresses, routes and name servers", _summary, moving="never"),
    *config(
        "network.configuration",
        _NETWORK,
        whole=_whole_network,
        fields=fields_of(
            _NETWORK,
            "hostname state hostname_local",
            hosts=list[str],
            domains=list[str],
            ipv4gateway=str,
            nameserver1=str,
        )
        | {"hostname": Annotated[str, Field(min_length=1, max_length=63, pattern=_HOSTNAME)]},
        changed=_renamed,
    ),
)
