"""``iscsi.*``: targets, extents and what belongs to them (truenas-api 3.8)."""

import errno
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import Problem
from mock_truenas.api.methods.method import Call, Method, Param
from mock_truenas.api.methods.tables import Extras, Row, Table, Writing, config, constant, crud, fields_of
from mock_truenas.appliance.rows import NEW_EXTENT

_ROLES: Final = frozenset({"SHARING_ADMIN", "SHARING_ISCSI_WRITE"})
_NotEmpty: Final = Annotated[str, Field(min_length=1, max_length=120)]
_FORCE: Final = Param("force", bool, default=False)

TARGET: Final = Table(
    "iscsi.target",
    "Target",
    {
        "id": 0,
        "name": "",
        "alias": None,
        "mode": "ISCSI",
        "groups": [],
        "auth_networks": [],
        "rel_tgt_id": 1,
        "iscsi_parameters": None,
    },
)
EXTENT: Final = Table(
    "iscsi.extent",
    "Extent",
    NEW_EXTENT,
)
TARGETEXTENT: Final = Table("iscsi.targetextent", "Associated target", {"id": 0, "lunid": 0, "extent": 0, "target": 0})
PORTAL: Final = Table("iscsi.portal", "Portal", {"id": 0, "listen": [], "tag": 1, "comment": ""})
INITIATOR: Final = Table("iscsi.initiator", "Initiator", {"id": 0, "initiators": [], "comment": ""})
AUTH: Final = Table(
    "iscsi.auth",
    "Credential",
    {"id": 0, "tag": 1, "user": "", "secret": "", "peeruser": "", "peersecret": "", "discovery_auth": "NONE"},
    secrets=frozenset({"secret", "peersecret"}),
)
_GLOBAL: Final = {
    "id": 1,
    "basename": "iqn.2005-10.org.freenas.ctl",
    "isns_servers": [],
    "listen_port": 3260,
    "pool_avail_threshold": None,
    "alua": False,
    "iser": False,
}


def _unique(table: Table, field: str, words: str) -> Any:
    def check(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
        rows = table.kept(call.appliance).items()
        if field in given and any(row.get(field) == given[field] and number != key for number, row in rows):
            yield field, words, errno.EEXIST

    return check


def _linked(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    del key
    for name, table in (("target", TARGET), ("extent", EXTENT)):
        if name in given and given[name] not in table.kept(call.appliance):
            yield name, f"{table.word} {given[name]} does not exist", errno.ENOENT


def _numbered(call: Call, row: Row) -> Row:
    """A portal's or target's own number follows its id; an extent has a serial and an address made of it."""
    del call
    number = row["id"]
    decided = {
        "tag": number,
        "rel_tgt_id": number,
        "serial": row.get("serial") or f"{number:015x}",
        "naa": row.get("naa") or f"0x6589cfc000000{number:019x}",
    }
    return row | {name: value for name, value in decided.items() if name in row}


def _lun(call: Call, row: Row) -> Row:
    taken = {other["lunid"] for other in TARGETEXTENT.kept(call.appliance).values() if other["target"] == row["target"]}
    if row["lunid"] is None:
        row["lunid"] = next(number for number in range(len(taken) + 1) if number not in taken)
    return row


def _without_links(field: str) -> Any:
    """Deleting a target or extent takes its associations with it."""

    def clear(call: Call, row: Mapping[str, Any]) -> None:
        for key, link in list(TARGETEXTENT.kept(call.appliance).items()):
            if link[field] == row["id"]:
                call.appliance.delete_row("iscsi.targetextent", key)

    return clear


def _sessions(call: Call) -> list[Row]:
    del call
    return []


METHODS: Final[tuple[Method, ...]] = (
    *crud(
        TARGET,
        Writing(
            "iscsi_target",
            fields_of(
                TARGET.blank,
                "rel_tgt_id",
                name=_NotEmpty,
                alias=str | None,
                mode=Literal["ISCSI", "FC", "BOTH"],
                groups=list[dict[str, Any]],
            ),
            frozenset({"name"}),
            check=_unique(TARGET, "name", "Target name already exists"),
        ),
        extras=Extras(
            _ROLES, (_FORCE, Param("delete_extents", bool, default=False)), _numbered, _without_links("target")
        ),
    ),
    constant("iscsi.target.validate_name", "Whether a name can be taken", None, Param("name", str)),
    *crud(
        EXTENT,
        Writing(
            "iscsi_extent",
            fields_of(
                EXTENT.blank,
                "naa locked vendor",
                name=_NotEmpty,
                type=Literal["DISK", "FILE"],
                disk=str | None,
                path=str | None,
                filesize=int | str,
                blocksize=Literal[512, 1024, 2048, 4096],
                avail_threshold=int | None,
                serial=str | None,
                rpm=Literal["UNKNOWN", "SSD", "5400", "7200", "10000", "15000"],
            ),
            frozenset({"name"}),
            check=_unique(EXTENT, "name", "Extent name must be unique"),
        ),
        extras=Extras(_ROLES, (Param("remove", bool, default=False), _FORCE), _numbered, _without_links("extent")),
    ),
    *crud(
        TARGETEXTENT,
        Writing(
            "iscsi_targetextent",
            {"target": int, "extent": int, "lunid": int | None},
            frozenset({"target", "extent"}),
            newest=lambda given, kept: dict(given) if kept else {"lunid": None, **given},
            check=_linked,
        ),
        extras=Extras(_ROLES, (_FORCE,), _lun),
    ),
    *crud(
        PORTAL,
        Writing("iscsiportal", {"listen": list[dict[str, Any]], "comment": str}, frozenset({"listen"})),
        extras=Extras(_ROLES, complete=_numbered),
    ),
    constant("iscsi.portal.listen_ip_choices", "Addresses a portal can listen on", {"0.0.0.0": "0.0.0.0", "::": "::"}),  # noqa: S104
    *crud(
        INITIATOR,
        Writing("iscsi_initiator", {"initiators": list[str], "comment": str}),
        extras=Extras(_ROLES),
    ),
    *crud(
        AUTH,
        Writing(
            "iscsi_auth",
            fields_of(
                AUTH.blank,
                secret=Annotated[str, Field(min_length=12, max_length=16)],
                discovery_auth=Literal["NONE", "CHAP", "CHAP_MUTUAL"],
            ),
            frozenset({"tag", "user", "secret"}),
        ),
        extras=Extras(_ROLES),
    ),
    *config("iscsi.global", _GLOBAL),
    Method("iscsi.global.sessions", "Sessions of initiators", _sessions, filterable=True, moving="never"),
    constant("iscsi.global.client_count", "Clients connected", 0),
    constant("iscsi.global.alua_enabled", "Whether ALUA is on", value=False),
)
