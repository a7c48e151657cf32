"""Every method of the API, gathered from the modules beside this one. To add some, add a module to ``_MODULES``."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from mock_truenas.api.methods import (
    alert,
    api_key,
    app,
    auth,
    boot,
    certificate,
    core,
    dataset,
    dataset_changes,
    dataset_encryption,
    disk,
    interface,
    iscsi,
    misc,
    pool,
    pool_topology,
    replication,
    reporting,
    scrub,
    service,
    settings,
    sharing,
    smart,
    snapshot,
    snapshottask,
    system,
    update,
    users,
    virt,
    vm,
    zfs_resource,
)
from mock_truenas.api.methods.instances import get_instance
from mock_truenas.api.methods.method import Kind, Method

_MODULES: Final[tuple[tuple[Method, ...], ...]] = (
    alert.METHODS,
    api_key.METHODS,
    app.METHODS,
    auth.METHODS,
    boot.METHODS,
    certificate.METHODS,
    core.METHODS,
    core.listing(lambda: METHODS),
    dataset.METHODS,
    dataset_changes.METHODS,
    dataset_encryption.METHODS,
    disk.METHODS,
    interface.METHODS,
    iscsi.METHODS,
    misc.METHODS,
    pool.METHODS,
    pool_topology.METHODS,
    replication.METHODS,
    reporting.METHODS,
    scrub.METHODS,
    service.METHODS,
    settings.METHODS,
    sharing.METHODS,
    smart.METHODS,
    snapshot.METHODS,
    snapshottask.METHODS,
    system.METHODS,
    update.METHODS,
    users.METHODS,
    virt.METHODS,
    vm.METHODS,
    zfs_resource.METHODS,
)


def _gathered() -> dict[str, Method]:
    written = [method for methods in _MODULES for method in methods]
    names = Counter(method.name for method in written)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise ValueError(f"listed twice: {', '.join(twice)}")
    queries = (method for method in written if method.kind is Kind.QUERY)
    derived = [get_instance(query) for query in queries if f"{query.service}.get_instance" not in names]
    return {method.name: method for method in sorted((*written, *derived), key=lambda method: method.name)}


def _services() -> dict[str, tuple[str, ...]]:
    verbs: dict[str, list[str]] = {}
    for method in METHODS.values():
        verbs.setdefault(method.service, []).append(method.verb)
    return {service: tuple(names) for service, names in verbs.items()}


METHODS: Final[Mapping[str, Method]] = _gathered()
"""By name, in alphabetical order, whichever versions have them."""
SERVICES: Final[Mapping[str, tuple[str, ...]]] = _services()
"""The last parts of the names of each service's methods."""
