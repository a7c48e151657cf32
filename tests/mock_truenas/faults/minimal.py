"""Parameters for the kinds that need some."""

from typing import Any

ANY_FIELD = {"call": "pool.query", "field": "status"}
MINIMAL: dict[str, dict[str, Any]] = {
    "http.delay": {"delay": "15s"},
    "http.status": {"status": 503},
    "rpc.late": {"delay": "15s"},
    "payload.null_field": ANY_FIELD,
    "payload.drop_field": ANY_FIELD,
    "payload.set_field": {**ANY_FIELD, "value": 1},
    "payload.rename_field": {**ANY_FIELD, "to": "state"},
    "payload.change_type": {**ANY_FIELD, "to": "int"},
    "payload.non_finite": ANY_FIELD,
    "payload.shift_date": {**ANY_FIELD, "by": "1h"},
    "payload.duplicate_rows": {"call": "pool.query"},
    "payload.no_rows": {"call": "pool.query"},
}
