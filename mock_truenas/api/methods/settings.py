"""Services that have settings and little else: ``ssh``, ``snmp``, ``ups``, ``mail`` and the like (truenas-api 3.8)."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from mock_truenas.api.methods.method import Call, Method
from mock_truenas.api.methods.tables import Row, config, constant, fields_of

_SSH: Final[Mapping[str, Any]] = {
    "id": 1,
    "bindiface": [],
    "tcpport": 22,
    "password_login_groups": [],
    "passwordauth": True,
    "kerberosauth": False,
    "tcpfwd": False,
    "compression": False,
    "sftp_log_level": "",
    "sftp_log_facility": "",
    "weak_ciphers": ["AES128-CBC"],
    "options": "",
    "privatekey": "",
}
_SNMP: Final[Mapping[str, Any]] = {
    "id": 1,
    "location": "",
    "contact": "",
    "traps": False,
    "v3": False,
    "community": "public",
    "v3_username": "",
    "v3_authtype": "SHA",
    "v3_password": "",
    "v3_privproto": None,
    "v3_privpassphrase": None,
    "options": "",
    "loglevel": 3,
    "zilstat": False,
}
_UPS: Final[Mapping[str, Any]] = {
    "id": 1,
    "powerdown": False,
    "rmonitor": False,
    "nocommwarntime": None,
    "remoteport": 3493,
    "shutdowntimer": 30,
    "hostsync": 15,
    "description": "",
    "driver": "",
    "extrausers": "",
    "identifier": "ups",
    "mode": "MASTER",
    "monpwd": "",
    "monuser": "upsmon",
    "options": "",
    "optionsupsd": "",
    "port": "",
    "remotehost": "",
    "shutdown": "BATT",
    "shutdowncmd": None,
    "complete_identifier": "ups@localhost:3493",
}
_FTP: Final[Mapping[str, Any]] = {
    "id": 1,
    "port": 21,
    "clients": 5,
    "ipconnections": 2,
    "loginattempt": 1,
    "timeout": 600,
    "timeout_notransfer": 300,
    "onlyanonymous": False,
    "anonpath": None,
    "onlylocal": False,
    "banner": "",
    "filemask": "077",
    "dirmask": "022",
    "fxp": False,
    "resume": False,
    "defaultroot": True,
    "ident": False,
    "reversedns": False,
    "masqaddress": "",
    "passiveportsmin": 0,
    "passiveportsmax": 0,
    "localuserbw": 0,
    "localuserdlbw": 0,
    "anonuserbw": 0,
    "anonuserdlbw": 0,
    "tls": False,
    "tls_policy": "on",
    "ssltls_certificate": None,
    "options": "",
}
_MAIL: Final[Mapping[str, Any]] = {
    "id": 1,
    "fromemail": "",
    "fromname": "",
    "outgoingserver": "",
    "port": 25,
    "security": "PLAIN",
    "smtp": False,
    "user": None,
    "pass": None,
    "oauth": None,
}
_AUDIT: Final[Mapping[str, Any]] = {
    "id": 1,
    "retention": 7,
    "reservation": 0,
    "quota": 0,
    "quota_fill_warning": 75,
    "quota_fill_critical": 95,
    "remote_logging_enabled": False,
    "space": {"used": 1_720_320, "used_by_snapshots": 0, "available": 41_875_931_136},
    "enabled_services": {"MIDDLEWARE": [], "SMB": [], "SUDO": [], "SYSTEM": []},
}
_DIRECTORY: Final[Mapping[str, Any]] = {
    "id": 1,
    "service_type": None,
    "credential": None,
    "enable": False,
    "enable_account_cache": True,
    "enable_dns_updates": True,
    "timeout": 10,
    "kerberos_realm": None,
    "configuration": None,
}
_TN_CONNECT: Final[Mapping[str, Any]] = {
    "id": 1,
    "enabled": False,
    "registration_details": {},
    "status": "DISABLED",
    "status_reason": "TrueNAS Connect is disabled",
    "certificate": None,
    "ips": [],
    "interfaces": [],
    "interfaces_ips": [],
    "use_all_interfaces": True,
    "account_service_base_url": "https://account-service.tys1.truenasconnect.net/",
    "leca_service_base_url": "https://dns-service.tys1.truenasconnect.net/",
    "tnc_base_url": "https://web.truenasconnect.net/",
    "heartbeat_url": "https://heartbeat-service.tys1.truenasconnect.net/",
}
_KMIP: Final[Mapping[str, Any]] = {
    "id": 1,
    "server": None,
    "port": 5696,
    "certificate": None,
    "certificate_authority": None,
    "manage_sed_disks": False,
    "manage_zfs_keys": False,
    "enabled": False,
    "ssl_version": "PROTOCOL_TLSv1_2",
}
_SUPPORT: Final[Mapping[str, Any]] = {
    "id": 1,
    "enabled": None,
    "name": "",
    "title": "",
    "email": "",
    "phone": "",
    "secondary_name": "",
    "secondary_title": "",
    "secondary_email": "",
    "secondary_phone": "",
}


def _whole_ups(call: Call, row: Row) -> Row:
    host = row["remotehost"] if row["mode"] == "SLAVE" else "localhost"
    named = call.appliance.state.host.ups
    identifier = row["identifier"] if named is None else named
    return row | {"identifier": identifier, "complete_identifier": f"{identifier}@{host}:{row['remoteport']}"}


METHODS: Final[tuple[Method, ...]] = (
    *config("ssh", _SSH, secrets=frozenset({"privatekey"})),
    constant("ssh.bindiface_choices", "Interfaces SSH can listen on", {}),
    *config("snmp", _SNMP, secrets=frozenset({"v3_password", "v3_privpassphrase"})),
    *config(
        "ups",
        _UPS,
        whole=_whole_ups,
        secrets=frozenset({"monpwd"}),
        fields=fields_of(
            _UPS,
            "complete_identifier",
            mode=Literal["MASTER", "SLAVE"],
            shutdown=Literal["LOWBATT", "BATT"],
            nocommwarntime=int | None,
            shutdowncmd=str | None,
        ),
    ),
    constant("ups.driver_choices", "Drivers of UPSes", {"usbhid-ups$auto": "USB HID (usbhid-ups)"}),
    *config("ftp", _FTP),
    *config(
        "mail",
        _MAIL,
        secrets=frozenset({"pass"}),
        fields=fields_of(
            _MAIL,
            security=Literal["PLAIN", "SSL", "TLS"],
            user=str | None,
            oauth=dict[str, str] | None,
        )
        | {"pass": str | None},
    ),
    constant("mail.local_administrator_email", "Where the appliance would write to", None),
    *config("audit", _AUDIT, fields=fields_of(_AUDIT, "space remote_logging_enabled enabled_services")),
    *config("directoryservices", _DIRECTORY),
    *config("tn_connect", _TN_CONNECT, fields={"enabled": bool, "ips": list[str], "interfaces": list[str]}),
    *config("kmip", _KMIP),
    *config("support", _SUPPORT),
    constant("support.is_available", "Whether support can be asked", value=False),
    constant("support.is_available_and_enabled", "Whether support is asked by itself", value=False),
)
