"""``sharing.*``: what is shared over SMB and NFS, and the settings of both services (truenas-api 3.8)."""

import errno
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mock_truenas.api.errors import Problem
from mock_truenas.api.methods.method import Call, Method
from mock_truenas.api.methods.tables import Extras, Row, Table, Writing, config, constant, crud, fields_of
from mock_truenas.appliance.rows import NEW_NFS

_SHARES: Final = Extras(roles=frozenset({"SHARING_ADMIN", "SHARING_WRITE"}))
_NotEmpty: Final = Annotated[str, Field(min_length=1)]

# -- SMB ---------------------------------------------------------------------------------------------------------------

_SMB: Final[Mapping[str, Any]] = {
    "id": 0,
    "purpose": "DEFAULT_SHARE",
    "name": "",
    "path": "",
    "enabled": True,
    "comment": "",
    "readonly": False,
    "browsable": True,
    "access_based_share_enumeration": False,
    "locked": False,
    "audit": {"enable": False, "watch_list": [], "ignore_list": []},
    "options": {"aapl_name_mangling": False, "hostsallow": [], "hostsdeny": []},
}
# Up to 25.04 what `options` holds stands beside the rest, under its name or another.
_FLAT_OPTIONS: Final[Mapping[str, Any]] = {
    "path_suffix": "",
    "home": False,
    "recyclebin": False,
    "guestok": False,
    "hostsallow": [],
    "hostsdeny": [],
    "aapl_name_mangling": False,
    "acl": True,
    "durablehandle": True,
    "shadowcopy": True,
    "streams": True,
    "timemachine": False,
    "timemachine_quota": 0,
    "fsrvp": False,
    "auxsmbconf": "",
    "afp": False,
    "vuid": "",
}
_RENAMED: Final = {"readonly": "ro", "access_based_share_enumeration": "abe"}
_PURPOSES: Final = {
    "DEFAULT_SHARE": "DEFAULT_SHARE",
    "LEGACY_SHARE": "NO_PRESET",
    "TIMEMACHINE_SHARE": "ENHANCED_TIMEMACHINE",
    "MULTIPROTOCOL_SHARE": "MULTI_PROTOCOL_NFS",
    "TIME_LOCKED_SHARE": "WORM_DROPBOX",
    "PRIVATE_DATASETS_SHARE": "PRIVATE_DATASETS",
}
_OLD_PURPOSES: Final = {old: new for new, old in _PURPOSES.items()} | {"TIMEMACHINE": "TIMEMACHINE_SHARE"}
_OLD_NAMES: Final = {old: new for new, old in _RENAMED.items()}
_FLAT_ORDER: Final = [
    "id",
    "purpose",
    "path",
    "path_suffix",
    "home",
    "name",
    "comment",
    "ro",
    "browsable",
    "recyclebin",
    "guestok",
    "abe",
    "hostsallow",
    "hostsdeny",
    "aapl_name_mangling",
    "acl",
    "durablehandle",
    "shadowcopy",
    "streams",
    "timemachine",
    "timemachine_quota",
    "fsrvp",
    "auxsmbconf",
    "enabled",
    "afp",
    "audit",
    "vuid",
    "path_local",
    "locked",
]


def flat_share(row: Row) -> Row:
    """An SMB share as up to 25.04: options beside the rest, older names and purposes."""
    common = {_RENAMED.get(name, name): value for name, value in row.items() if name != "options"}
    given = (row["options"] or {}).items()
    # What options leave open had a value here: no id was the empty one.
    options = {name: value for name, value in given if name in _FLAT_OPTIONS and value is not None}
    flat = {**_FLAT_OPTIONS, **common, **options}
    flat["purpose"] = _PURPOSES.get(row["purpose"], "NO_PRESET")
    # A Time Machine share says so twice here.
    flat["timemachine"] = bool(flat["timemachine"] or row["purpose"] == "TIMEMACHINE_SHARE")
    flat["path_local"] = row["path"]
    return {name: flat[name] for name in _FLAT_ORDER}


def share_with_options(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Row:
    """What up to 25.04 was given flat, in the newest shape; an update keeps the options it does not name."""
    row: Row = {}
    options = dict(kept.get("options") or _SMB["options"])
    for name, value in given.items():
        if name in _FLAT_OPTIONS:
            options[name] = value
        else:
            row[_OLD_NAMES.get(name, name)] = value
    if "purpose" in row:
        row["purpose"] = _OLD_PURPOSES.get(row["purpose"], "LEGACY_SHARE")
    return {**row, "options": options}


def _sound_share(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    yield from _sound_path(call, given)
    wanted = str(given.get("name", "")).casefold()
    if wanted and any(
        row.get("name", "").casefold() == wanted and number != key for number, row in SMB.kept(call.appliance).items()
    ):
        yield "name", "Share with this name already exists.", errno.EEXIST
    if wanted in ("global", "homes", "printers"):
        yield "name", f"{given['name']} is a reserved section name, please select another one", errno.EINVAL


def _sound_path(call: Call, given: Mapping[str, Any]) -> Iterable[Problem]:
    path = given.get("path")
    if path is None:
        return
    pool = path.removeprefix("/mnt/").partition("/")[0]
    inside = path.startswith("/mnt/") and pool in call.appliance.state.pools
    if not inside and not path.startswith("EXTERNAL"):
        yield "path", "The path must reside within a pool mount point", errno.EINVAL


_FLAT_GIVEN: Final = flat_share({**_SMB, "options": {}})
SMB: Final = Table("sharing.smb", "Share", _SMB, older=(("flat_shares", flat_share),))
_SMB_FORMS: Final = (
    Writing(
        "sharingsmb",
        fields_of(_FLAT_GIVEN, "locked path_local vuid", path=_NotEmpty, name=_NotEmpty, audit=dict[str, Any]),
        frozenset({"path", "name"}),
        newest=share_with_options,
        check=_sound_share,
        until="25.10.0",
    ),
    Writing(
        "smb_share",
        fields_of(
            _SMB,
            "locked",
            path=_NotEmpty,
            name=Annotated[str, Field(min_length=1, max_length=80)],
            purpose=Literal[
                "DEFAULT_SHARE",
                "LEGACY_SHARE",
                "TIMEMACHINE_SHARE",
                "MULTIPROTOCOL_SHARE",
                "TIME_LOCKED_SHARE",
                "PRIVATE_DATASETS_SHARE",
                "EXTERNAL_SHARE",
                "VEEAM_REPOSITORY_SHARE",
                "FCP_SHARE",
            ],
            options=dict[str, Any] | None,
        ),
        frozenset({"path", "name"}),
        check=_sound_share,
        since="25.10.0",
    ),
)

# -- NFS ---------------------------------------------------------------------------------------------------------------


def _sound_export(call: Call, given: Mapping[str, Any], key: Any) -> Iterable[Problem]:
    del key
    yield from _sound_path(call, given)
    if given.get("maproot_user") and given.get("mapall_user"):
        yield "mapall_user", "maproot_user disqualifies mapall_user", errno.EINVAL


NFS: Final = Table("sharing.nfs", "Export", NEW_NFS)
_TEXTS: Final = list[str]
_NFS_FORM: Final = Writing(
    "sharingnfs",
    fields_of(
        NEW_NFS,
        "locked",
        path=_NotEmpty,
        aliases=_TEXTS,
        networks=_TEXTS,
        hosts=_TEXTS,
        security=list[Literal["SYS", "KRB5", "KRB5I", "KRB5P"]],
        **dict.fromkeys(("maproot_user", "maproot_group", "mapall_user", "mapall_group"), str | None),
    ),
    frozenset({"path"}),
    check=_sound_export,
)

# -- the services ------------------------------------------------------------------------------------------------------

_SMB_CONFIG: Final = {
    "id": 1,
    "netbiosname": "truenas",
    "netbiosalias": [],
    "workgroup": "WORKGROUP",
    "description": "TrueNAS Server",
    "enable_smb1": False,
    "unixcharset": "UTF-8",
    "localmaster": True,
    "syslog": False,
    "aapl_extensions": False,
    "admin_group": None,
    "guest": "nobody",
    "filemask": "DEFAULT",
    "dirmask": "DEFAULT",
    "ntlmv1_auth": False,
    "multichannel": False,
    "encryption": "DEFAULT",
    "bindip": [],
    "server_sid": "S-1-5-21-1208315214-1905821473-2815104710",
    "smb_options": "",
    "debug": False,
}
_NFS_CONFIG: Final = {
    "id": 1,
    "servers": None,
    "allow_nonroot": False,
    "protocols": ["NFSV3", "NFSV4"],
    "v4_krb": False,
    "v4_domain": "",
    "bindip": [],
    "mountd_port": None,
    "rpcstatd_port": None,
    "rpclockd_port": None,
    "mountd_log": False,
    "statd_lockd_log": False,
    "v4_krb_enabled": False,
    "userd_manage_gids": False,
    "keytab_has_nfs_spn": False,
    "managed_nfsd": True,
    "rdma": False,
}

METHODS: Final[tuple[Method, ...]] = (
    *crud(SMB, *_SMB_FORMS, extras=_SHARES),
    constant("sharing.smb.presets", "Presets of purposes", {new: {"verbose_name": new} for new in _OLD_PURPOSES}),
    *crud(NFS, _NFS_FORM, extras=_SHARES),
    *config("smb", _SMB_CONFIG),
    constant("smb.bindip_choices", "Addresses SMB can listen on", {}),
    constant("smb.unixcharset_choices", "Character sets", {"UTF-8": "UTF-8", "ASCII": "ASCII"}),
    *config("nfs", _NFS_CONFIG),
    constant("nfs.client_count", "NFS clients connected", 0),
    constant("nfs.get_nfs3_clients", "NFS 3 clients", [], filterable=True),
    constant("nfs.get_nfs4_clients", "NFS 4 clients", [], filterable=True),
)
