"""What goes wrong with real appliances, entry by entry, and the faults that make it happen here. Data only.

The numbers and symptoms are those of the fact sheet (truenas-api 7), ``section`` says where it tells of the mechanism.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Recipe:
    """A kind and the parameters that make it this entry's."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """``standing`` says what the mock does by itself, as releases or switches want it, without any fault."""

    number: str
    symptom: str
    section: str
    recipes: tuple[Recipe, ...] = ()
    standing: str = ""


def _r(kind: str, **parameters: Any) -> Recipe:
    return Recipe(kind, parameters)


_TRANSPORT: Final = (
    Entry(
        "F01", "middlewared restarts: 502, live WebSockets end without a close frame", "1", (_r("front.bad_gateway"),)
    ),
    Entry(
        "F02",
        "A slow call becomes 504 after 60 s while the method goes on",
        "1",
        (_r("front.timeout", path="/pool", after="60s"),),
        "REST methods slower than the front's patience get 504",
    ),
    Entry(
        "F03",
        "An idle WebSocket is cut without a close frame",
        "1",
        (_r("front.idle_cut", after="60s"),),
        "after 60 s through 25.10, 3600 s on 26 (switch idle_cut)",
    ),
    Entry(
        "F04",
        "The WebSocket endpoint is missing: 302 to /ui/",
        "1",
        (_r("front.redirect_ui"),),
        "on 24.04 and 24.10 for /api/current",
    ),
    Entry("F05", "HTTP is redirected to HTTPS with 307, handshakes too", "1", (_r("front.redirect_https"),)),
    Entry("F06", "Redirected to an HTTPS port on which nobody listens", "1", (_r("front.redirect_https", port=9),)),
    Entry(
        "F07",
        "A self-signed, expired or renewed certificate; the front's reload drops live connections",
        "1",
        (_r("tls.rotated", reload=True), _r("tls.expired"), _r("tls.wrong_name")),
    ),
    Entry("F08", "Plain HTTP on the TLS port: the 400 page", "1", standing="on every NAS that serves TLS"),
    Entry("F09", "A handshake is accepted by TCP and never answered", "5.1", (_r("front.handshake_silence"),)),
    Entry(
        "F10", "The client's address is not allow-listed: 403, or a close with 1008", "1", (_r("front.not_allowed"),)
    ),
    Entry("F11", "A WebSocket closes with 1000 before the first message", "5.1", (_r("front.closed_at_once"),)),
    Entry(
        "F12",
        "A proxy in front answers itself, or strips Upgrade",
        "5.1",
        (_r("front.upgrade_stripped"), _r("front.proxy", status=404), _r("front.proxy", status=502)),
    ),
    Entry("F13", "The host sleeps: no answer from anybody", "7", (_r("appliance.asleep"), _r("appliance.down"))),
)

_AUTH: Final = (
    Entry(
        "F14",
        "A key used over a plain WebSocket is revoked",
        "5.3",
        (_r("auth.plaintext_revocation"), _r("auth.revoke_key")),
        "from 25.04 on, with the switch revoke_plaintext_keys",
    ),
    Entry("F15", "REST with a deleted key: 500 on 25.04 and 25.10, 401 on 24.x", "2.4", (_r("auth.delete_key"),)),
    Entry("F16", "A key expires while its session lives on", "5.3", (_r("auth.expire_key"),)),
    Entry("F17", "A session comes to its age: 207, the socket stays", "5.3", (_r("auth.expire_session"),)),
    Entry("F18", "The session is lost, the connection stays", "5.3", (_r("auth.lose_session"),)),
    Entry(
        "F19",
        "Too many logins: a wait, then EBUSY",
        "5.4",
        (_r("auth.rate_limit", delay="1s"),),
        "from 24.10 on after 20 a minute (switch login_rate_limit)",
    ),
    Entry(
        "F20",
        "auth.mechanism_choices breaks before a login",
        "5.3",
        (_r("auth.mechanism_choices"),),
        "from 25.04.2 to 25.10",
    ),
    Entry("F21", "A half finished login spoils the next", "5.3", (_r("auth.pam_state"),)),
    Entry("F22", "The role is too small: some calls work, others do not", "5.3", (_r("auth.role", allows="system.*"),)),
    Entry("F23", "Keys with allowlists are dead after the upgrade to 25.04", "5.3", (_r("auth.allowlists_dead"),)),
    Entry(
        "F24",
        "The standby sends logins elsewhere; the address moves with a reset",
        "5.3",
        (_r("auth.redirect", urls=["10.0.0.11"]), _r("appliance.failover"), _r("job.lost")),
    ),
    Entry("F25", "A second factor is on", "5.3", (_r("auth.two_factor"),)),
)

_SHAPE: Final = (
    Entry("F26", "An exported pool: every number, topology and scan null", "3.2", (_r("pool.exported"),)),
    Entry(
        "F27",
        "Null where a number is usual: end of a running scan, rotation rate, memory of an instance",
        "3.2",
        (_r("pool.scrub_running"), _r("payload.null_field", call="disk.query", field="rotationrate")),
    ),
    Entry(
        "F28",
        "A temperature is null, or a disk is missing",
        "3.4",
        (_r("disk.no_temperature"), _r("disk.missing", disk="sda")),
    ),
    Entry(
        "F29",
        "Gaps in reports",
        "3.7",
        tuple(_r("reporting.gaps", form=form) for form in ("no_means", "null_means", "no_data", "no_graphs")),
    ),
    Entry(
        "F30",
        "Infinity, -Infinity and NaN as bare tokens",
        "3.7",
        tuple(
            _r("payload.non_finite", call="reporting.get_data", field="aggregations.min.*", value=value)
            for value in ("Infinity", "-Infinity", "NaN")
        ),
    ),
    Entry(
        "F31",
        "The collector of realtime figures is not up",
        "3.7",
        (_r("reporting.not_ready", form="said"), _r("reporting.not_ready", form="silence")),
    ),
    Entry(
        "F32",
        "Reporting fails as a whole because of one graph",
        "3.7",
        (
            _r("rpc.broken", call="reporting.get_data", exception="KeyError", text="'cputemp'"),
            _r("rpc.invalid_params", call="reporting.get_data", attribute="graphs.0.name"),
        ),
    ),
    Entry(
        "F33",
        "The version is written differently",
        "0",
        (_r("appliance.version_string", version="25.04-RC.1"), _r("appliance.version_string", version="25.10.2.1")),
        "as each release writes it",
    ),
    Entry(
        "F34",
        "A method or route is gone",
        "0",
        (_r("rpc.no_method", call="zfs.snapshot.*|system.info"),),
        "as each release has them",
    ),
    Entry(
        "F35",
        "A parameter was renamed or is checked more strictly",
        "3.7",
        (_r("rpc.invalid_params", call="system.info|reporting.get_data", attribute="reporting_query"),),
        "as each release checks them",
    ),
    Entry(
        "F36",
        "A vanished route looks like a vanished thing",
        "2.4",
        (_r("http.not_found", form="route", path="/pool/*"), _r("http.not_found", form="item", path="/pool/*")),
        "both forms, each where it belongs",
    ),
    Entry(
        "F37",
        "The shape of SMB shares changes",
        "3.8",
        (_r("payload.rename_field", call="sharing.smb.query", field="comment", to="options.comment"),),
        "flat through 25.04, with options from 25.10 on",
    ),
    Entry(
        "F38",
        "A field has another type",
        "3.2",
        (
            _r("payload.change_type", call="pool.query", field="fragmentation", to="int"),
            _r("payload.change_type", call="system.info", field="uptime_seconds", to="text"),
            _r("payload.change_type", call="pool.query", field="guid", to="int"),
        ),
    ),
    Entry(
        "F39",
        "Disks without size, with odd rotation rates, or all with one serial number",
        "3.4",
        (
            _r("payload.duplicate_serial", serial="Not Specified"),
            _r("payload.null_field", call="disk.query", field="size"),
            _r("payload.set_field", call="disk.query", field="rotationrate", value="unknown"),
        ),
    ),
    Entry(
        "F40",
        "Fields clients believe in and no release has",
        "3.3",
        (
            _r("payload.set_field", call="pool.dataset.query", field="mounted", value=True),
            _r("payload.set_field", call="disk.query", field="status", value="ONLINE"),
        ),
        "they are not sent",
    ),
    Entry(
        "F41",
        "Alerts in HTML, with arguments that are a list, or twice but for the node",
        "3.5",
        (
            _r("payload.html_in_alert"),
            _r("payload.duplicate_rows", call="alert.list", field="node", value="Controller B"),
        ),
    ),
)

_LOAD: Final = (
    Entry("F42", "A frame larger than the client takes", "9", (_r("rpc.oversize", bytes=(1 << 20) + 1),)),
    Entry(
        "F43",
        "Datasets take longer than the client waits",
        "9",
        (_r("rpc.late", call="pool.dataset.query", delay="11s"),),
    ),
    Entry("F44", "A call hangs because of something behind it", "9", (_r("rpc.silence", call="system.info|update.*"),)),
    Entry(
        "F45",
        "Snapshots take minutes, the slots of the connection fill up",
        "5.2",
        (_r("rpc.late", call="zfs.snapshot.query|pool.snapshot.query", delay="2m"),),
    ),
    Entry("F46", "One slow plugin holds up everything", "9", (_r("appliance.stall", lasts="46s"),)),
    Entry(
        "F47",
        "The state of a service is UNKNOWN after 15 s",
        "3.8",
        (_r("service.unknown", service="ssh", delay="15s"),),
    ),
    Entry("F48", "Every call that needs ZFS waits, others are quick", "9", (_r("appliance.busy_zfs", delay="30s"),)),
)

_TIME: Final = (
    Entry(
        "F49",
        "The clock is off; a job ends before it begins",
        "2.2",
        (
            _r("appliance.clock_skew", by="1h"),
            _r("payload.shift_date", call="core.get_jobs", field="time_finished", by="1h", back=True),
        ),
    ),
    Entry(
        "F50",
        "Events before their subscription, in bursts, nobody asked for; replies late, twice, or of another",
        "5.5",
        (
            _r("rpc.event_first"),
            _r("rpc.burst", copies=5),
            _r("rpc.stray", call="system.info"),
            _r("rpc.duplicate", call="system.info"),
            _r("rpc.wrong_id", call="system.info"),
            _r("rpc.late", call="system.info", delay="12s"),
        ),
    ),
    Entry(
        "F51",
        "A job never ends, or is forgotten",
        "5.5",
        (_r("job.endless"), _r("job.lost"), _r("rpc.lost_event", call="core.get_jobs")),
    ),
    Entry(
        "F52",
        "The uptime starts anew; no pools yet while it boots",
        "3.1",
        (_r("appliance.booting"), _r("appliance.reboot")),
    ),
    Entry(
        "F53",
        "Answers and frames that break off",
        "2.4",
        (
            _r("http.truncate_body", keep_bytes=40),
            _r("http.gzip_cut", keep_bytes=40),
            _r("rpc.cut_frame", keep_bytes=10),
            _r("rpc.malformed"),
            _r("http.malformed_body"),
            _r("http.reset", after_bytes=40),
            _r("rpc.close", code=1011),
        ),
    ),
)

CATALOGUE: Final[tuple[Entry, ...]] = (*_TRANSPORT, *_AUTH, *_SHAPE, *_LOAD, *_TIME)
