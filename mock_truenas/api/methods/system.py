"""``system.*``: the machine, its version, its clock, its boot and its general settings (truenas-api 3.1)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from mock_truenas.api.methods.checking import Given
from mock_truenas.api.methods.method import Access, Call, JobPlan, Method, Param
from mock_truenas.api.methods.tables import SECOND_NS, Table, config, constant, crud, fields_of
from mock_truenas.api.methods.tables import Writing as Form
from mock_truenas.api.resources import system
from mock_truenas.appliance.nas import Appliance

_REASON: Final = Annotated[str, Field(min_length=1)]


class Delay(Given):
    """How many seconds a reboot or shutdown waits first."""

    delay: int | None = None


def _told(name: str, doc: str, value: Callable[[Appliance], Any], access: Access = Access.LOGIN) -> Method:
    return Method(f"system.{name}", doc, lambda call: value(call.appliance), access=access, moving="never")


def _going_down(what: Callable[[Appliance], None]) -> Callable[[Call], JobPlan]:
    def run(call: Call) -> JobPlan:
        options = call.arguments.get("options") or call.arguments.get("system-options")
        return JobPlan((options.delay or 0) * SECOND_NS if options is not None else 0, what)

    return run


def _power(name: str, doc: str, what: Callable[[Appliance], None]) -> Method:
    accepts = (
        Param("system-options", Delay, {}, until="25.04.0"),
        Param("reason", _REASON, since="25.04.0"),
        Param("options", Delay, {}, since="25.04.0"),
    )
    return Method(f"system.{name}", doc, _going_down(what), accepts, access=Access.WRITE, job=True)


_GENERAL: Final[dict[str, Any]] = {
    "id": 1,
    "language": "en",
    "kbdmap": "us",
    "timezone": "UTC",
    "usage_collection": True,
    "wizardshown": False,
    "ui_address": ["0.0.0.0"],  # noqa: S104 - the address the appliance shows
    "ui_v6address": ["::"],
    "ui_port": 80,
    "ui_httpsport": 443,
    "ui_httpsredirect": False,
    "ui_httpsprotocols": ["TLSv1.2", "TLSv1.3"],
    "ui_x_frame_options": "SAMEORIGIN",
    "ui_consolemsg": False,
    "ui_allowlist": [],
    "ui_certificate": {"id": 1, "name": "truenas_default"},
    "ds_auth": False,
    "usage_collection_is_set": True,
}
_ADVANCED: Final[dict[str, Any]] = {
    "id": 1,
    "advancedmode": False,
    "autotune": False,
    "kdump_enabled": False,
    "boot_scrub": 7,
    "consolemenu": True,
    "consolemsg": True,
    "debugkernel": False,
    "fqdn_syslog": False,
    "motd": "Welcome to TrueNAS",
    "login_banner": "",
    "powerdaemon": False,
    "serialconsole": False,
    "serialport": "ttyS0",
    "anonstats_token": "",
    "serialspeed": "9600",
    "overprovision": None,
    "traceback": True,
    "uploadcrash": True,
    "anonstats": True,
    "sed_user": "USER",
    "sysloglevel": "F_INFO",
    "syslogserver": "",
    "syslog_transport": "UDP",
    "syslog_tls_certificate": None,
    "syslog_tls_certificate_authority": None,
    "syslog_audit": False,
    "syslogservers": [],
    "isolated_gpu_pci_ids": [],
    "kernel_extra_options": "",
    "nvidia": False,
}
_SECURITY: Final[dict[str, Any]] = {
    "id": 1,
    "enable_fips": False,
    "enable_gpos_stig": False,
    "min_password_age": None,
    "max_password_age": None,
    "password_complexity_ruleset": None,
    "min_password_length": None,
    "password_history_length": None,
}


def _general() -> tuple[Method, ...]:
    """The time zone is the machine's own, so that it stands in ``system.info`` too."""
    shape = fields_of(_GENERAL, "wizardshown usage_collection_is_set", ui_certificate=int | None)
    show, update = config("system.general", _GENERAL, fields=shape)

    def shown(call: Call) -> dict[str, Any]:
        kept: Any = show.run(call)
        return {**kept, "timezone": call.appliance.state.host.timezone}

    def changed(call: Call) -> dict[str, Any]:
        given = dict(call.arguments["system_general_update"])
        if isinstance(given.get("ui_certificate"), int):
            given["ui_certificate"] = {"id": given["ui_certificate"], "name": "truenas_default"}
        update.run(replace(call, arguments={"system_general_update": given}))
        if "timezone" in given:
            call.appliance.change_host(timezone=given["timezone"])
        return shown(call)

    return replace(show, run=shown), replace(update, run=changed)


def _login_banner(call: Call) -> str:
    kept = call.appliance.state.tables.get("config", {}).get("system.advanced", {})
    return str(kept.get("login_banner", ""))


_NTP: Final = Table(
    "system.ntpserver",
    "NTP Server",
    {"id": 1, "address": "", "burst": False, "iburst": True, "prefer": False, "minpoll": 6, "maxpoll": 10},
)
_NTP_FIELDS: Final = {**fields_of(_NTP.blank), "force": bool}
_NTP_FORM: Final = Form(
    "ntp",
    _NTP_FIELDS,
    frozenset({"address"}),
    newest=lambda given, _kept: {name: value for name, value in given.items() if name != "force"},
)
_ZONES: Final = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo")

METHODS: Final = (
    Method(
        "system.info",
        "The machine and its clock",
        lambda call: system.info(call.appliance, call.moment),
        access=Access.LOGIN,
        moving="template",
    ),
    _told("version", "Full version", lambda nas: nas.release.version),
    _told("version_short", "Short version", lambda nas: nas.release.version_short),
    _told("product_type", "Edition", lambda nas: nas.release.product_type),
    _told("state", "BOOTING, READY or SHUTTING_DOWN", lambda nas: nas.state.host.state),
    _told("ready", "Whether it is READY", lambda nas: nas.state.host.state == "READY"),
    _told("host_id", "SHA-256 naming the host", lambda nas: nas.state.host.host_id),
    _told("boot_id", "Changes with every boot", lambda nas: nas.state.host.boot_id, Access.OPEN),
    Method(
        "system.feature_enabled",
        "Whether the licence has a feature",
        lambda _call: False,
        (Param("feature", str),),
        moving="never",
    ),
    Method(
        "system.reboot.info",
        "Whether something waits for a reboot",
        lambda call: {"boot_id": call.appliance.state.host.boot_id, "reboot_required_reasons": []},
        moving="never",
    ),
    _power("reboot", "Boot anew", lambda nas: nas.reboot()),
    _power("shutdown", "Shut down", lambda nas: nas.shutdown()),
    *_general(),
    Method(
        "system.general.timezone_choices",
        "Time zones",
        lambda _call: {zone: zone for zone in _ZONES},
        moving="never",
    ),
    constant("system.general.language_choices", "Languages", {"en": "English", "de": "German", "fr": "French"}),
    constant("system.general.kbdmap_choices", "Keyboards", {"us": "English (US)", "de": "German"}),
    constant("system.general.ui_httpsprotocols_choices", "TLS versions", {"TLSv1.2": "TLSv1.2", "TLSv1.3": "TLSv1.3"}),
    *config("system.advanced", _ADVANCED),
    Method("system.advanced.login_banner", "Shown before login", _login_banner, access=Access.OPEN, moving="never"),
    constant("system.advanced.serial_port_choices", "Serial ports", {"ttyS0": "ttyS0"}),
    *config("system.security", _SECURITY),
    Method(
        "system.global.id",
        "Names this installation",
        lambda call: call.appliance.state.host.host_id[:32],
        access=Access.LOGIN,
        moving="never",
    ),
    *crud(_NTP, _NTP_FORM),
)
