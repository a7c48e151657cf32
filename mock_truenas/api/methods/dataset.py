"""``pool.dataset.*``: filesystems and volumes (truenas-api 3.3)."""

from typing import Any, Final

from mock_truenas.api.methods.method import Call, Kind, Method
from mock_truenas.api.resources import dataset


def _rows(call: Call) -> Any:
    named = call.query.wanted("id", "name") if call.query is not None else None
    return dataset.rows(call.appliance, call.extra, None if named is None else str(named))


METHODS: Final = (
    Method("pool.dataset.query", "Datasets, flat and nested", _rows, kind=Kind.QUERY, filterable=True, moving="never"),
)
