"""What successful answers look like: the schemas the OpenAPI document shows (contract A9). Data; answers nothing."""

from collections.abc import Mapping
from typing import Any, Final

from pulse_sim.stack.alerts.alert import LONGEST_TEXT
from pulse_sim.stack.alerts.rules import Severity
from pulse_sim.stack.api.shapes import Schema
from pulse_sim.stack.connection import LONGEST_INTERVAL_S
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.resources import DETAILS_KEY, ResourceType, Status

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_TIME: Final = {"type": "string", "format": "date-time"}
_TIME_OR_NULL: Final = {"type": ["string", "null"], "format": "date-time"}
_NUMBER: Final = {"type": "number"}
_NUMBER_OR_NULL: Final = {"type": ["number", "null"]}
_COUNT: Final = {"type": "integer", "minimum": 0}
_FLAG: Final = {"type": "boolean"}
_ANY_OBJECT: Final = {"type": "object"}


def _object(fields: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """An object with these fields and no others; `optional` ones may be missing."""
    return {
        "type": "object",
        "required": sorted(fields),
        "properties": {**fields, **(optional or {})},
        "additionalProperties": False,
    }


def _array(items: Schema) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _by_name(values: Schema) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def _one_of(words: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [str(word) for word in words]}


_STATUS: Final = _one_of(Status)
_FAILURE: Final = {
    "anyOf": [{"type": "null"}, _object({"at": _TIME, "message": _TEXT, "category": _one_of(ErrorType)})]
}
POLL: Final = _object(
    {
        "intervalSeconds": {"type": "integer", "minimum": 1, "maximum": LONGEST_INTERVAL_S},
        "lastAttemptAt": _TIME_OR_NULL,
        "lastSuccessAt": _TIME_OR_NULL,
        "consecutiveFailures": _COUNT,
        "lastError": _FAILURE,
    }
)
CONNECTION: Final = _object(
    {
        **dict.fromkeys(("id", "name", "host", "username", "fingerprint"), _TEXT),
        **dict.fromkeys(("apiKey", "password"), _one_of(("", "********"))),
        **dict.fromkeys(("useHttps", "insecureSkipVerify", "enabled"), _FLAG),
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "pollIntervalSeconds": {"type": "integer", "minimum": 1, "maximum": LONGEST_INTERVAL_S},
        "poll": POLL,
    }
)
CONNECTIONS: Final = _array(CONNECTION)
REMOVED: Final = _object({"success": _FLAG, "id": _TEXT})
DONE: Final = _object({"success": _FLAG})
REPORTED: Final = _object({"success": _FLAG, "resources": _COUNT})

_SOURCE: Final = _object(
    {"status": _one_of(("online", "stale", "unknown")), "lastSeen": _TIME_OR_NULL, "error": _TEXT_OR_NULL}
)
RESOURCE: Final = _object(
    {
        "id": _TEXT,
        "type": _one_of(ResourceType),
        "name": _TEXT,
        "status": _STATUS,
        "lastSeen": _TIME_OR_NULL,
        "updatedAt": _TIME,
        "sources": _array(_TEXT),
        "sourceStatus": _by_name(_SOURCE),
        "identity": {"type": "object", "required": ["sourceId"], "properties": {"sourceId": _TEXT}},
        "metrics": _ANY_OBJECT,
        "parentId": _TEXT_OR_NULL,
        "tags": _array(_TEXT),
        "alerts": _array(_ANY_OBJECT),
    },
    dict.fromkeys(DETAILS_KEY.values(), _ANY_OBJECT),
)
RESOURCES: Final = _object(
    {
        "data": _array(RESOURCE),
        "meta": _object(dict.fromkeys(("page", "limit", "total", "totalPages"), _COUNT)),
        "aggregations": _object(
            {"total": _COUNT, **dict.fromkeys(("byType", "byStatus", "bySource"), _by_name(_COUNT))}
        ),
    }
)
OLDER_RESOURCES: Final = _object(
    {
        "resources": _array(
            _object(
                {
                    **dict.fromkeys(("id", "name", "platformType", "platformId"), _TEXT),
                    "type": _one_of(ResourceType),
                    "status": _STATUS,
                    "lastSeen": _TIME_OR_NULL,
                    "parentId": _TEXT_OR_NULL,
                    "tags": _array(_TEXT),
                }
            )
        )
    }
)

ALERT: Final = _object(
    {
        **dict.fromkeys(("id", "rule", "instance", "resourceId", "sourceId", "type", "name"), _TEXT),
        "message": {"type": "string", "maxLength": LONGEST_TEXT},
        "state": _one_of(("active", "acknowledged", "resolved")),
        "severity": _one_of(Severity),
        **dict.fromkeys(("value", "threshold"), _NUMBER_OR_NULL),
        "raisedAt": _TIME,
        **dict.fromkeys(("acknowledgedAt", "resolvedAt"), _TIME_OR_NULL),
        **dict.fromkeys(("acknowledgedBy", "resolution"), _TEXT_OR_NULL),
    }
)
ALERTS: Final = _array(ALERT)
_RULE: Final = _object(
    {},
    {
        "enabled": _FLAG,
        "notify": _FLAG,
        "severity": _one_of(Severity),
        **dict.fromkeys(("threshold", "intervals"), _NUMBER),
    },
)
_TARGET: Final = {**_object({}, dict.fromkeys(("resource", "source", "type"), _TEXT)), "maxProperties": 1}
ALERT_CONFIG: Final = _object(
    {"rules": _by_name(_RULE), "overrides": _array(_object({"target": _TARGET, "rules": _by_name(_RULE)}))}
)

HEALTH: Final = _object({"status": _one_of(("healthy", "unhealthy")), "timestamp": _TIME, "uptime": _NUMBER})
_NAMED: Final = dict.fromkeys(("key", "type", "instance"), _TEXT)
SCHEDULER: Final = _object(
    {
        "updatedAt": _TIME,
        "enabled": _FLAG,
        "queue": _object({"depth": _COUNT, "perType": _by_name(_COUNT)}),
        "breakers": _array(
            _object(
                {
                    **_NAMED,
                    "state": _one_of(("closed", "half-open", "open")),
                    "failures": _COUNT,
                    "retrySeconds": _NUMBER,
                    "nextAttemptSeconds": _NUMBER_OR_NULL,
                }
            )
        ),
        "staleness": _array(_object({**_NAMED, "seconds": _NUMBER})),
        "instances": _array(_object({**_NAMED, "name": _TEXT, "poll": POLL})),
    }
)
DOCUMENT: Final = {"type": "object", "required": ["openapi", "info", "paths", "components"]}
