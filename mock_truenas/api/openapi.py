"""The OpenAPI 3.0.0 document of a version's REST face (truenas-api 2.1). Makes no calls."""

from typing import Any

from mock_truenas.api.routes import Routes
from mock_truenas.appliance.dialect import Dialect


def document(routes: Routes, dialect: Dialect) -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.0.0",
        "info": {"title": "TrueNAS RESTful API", "version": "v2.0"},
        "servers": [{"url": "/api/v2.0"}],
        "paths": {
            path: {verb.lower(): {"responses": {"200": {"description": "ok"}}} for verb in verbs}
            for path, verbs in routes.items()
        },
    }
