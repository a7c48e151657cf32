"""``certificate.*``: what the appliance proves itself with (truenas-api 3.8)."""

from collections.abc import Mapping
from typing import Any, Final

from mock_truenas.api.methods.method import Call, Kind, Method
from mock_truenas.api.methods.tables import Row, Table, constant, reading

_NAMES: Final = (
    "acme_uri domains_authenticators renew_days acme CSR organizational_unit country state city organization "
    "email common DN subject_name_hash digest_algorithm lifetime from until serial key_length key_type fingerprint "
    "certificate privatekey"
)


def _whole(row: Row) -> Row:
    """Before 25.10 a row tells of its authority and revocation, too; that it cannot be revoked, here."""
    return row | {"issuer": row["issuer"] or ("external" if row["cert_type_existing"] else None)}


TABLE: Final = Table(
    "certificate",
    "Certificate",
    {
        "id": 0,
        "type": 8,
        "name": "",
        "add_to_trusted_store": False,
        "root_path": "/etc/certificates",
        "certificate_path": None,
        "privatekey_path": None,
        "csr_path": None,
        "cert_type": "CERTIFICATE",
        "cert_type_existing": True,
        "cert_type_CSR": False,
        "chain_list": [],
        "san": [],
        "extensions": {},
        "chain": False,
        "expired": False,
        "parsed": True,
        **dict.fromkeys(_NAMES.split()),
        "revoked": False,
        "revoked_date": None,
        "signedby": None,
        "issuer": None,
        "internal": "NO",
        "can_be_revoked": False,
        "CA_type_existing": False,
        "CA_type_internal": False,
        "CA_type_intermediate": False,
        "cert_type_internal": False,
    },
    whole=_whole,
    secrets=frozenset({"privatekey"}),
)


def _choices(call: Call) -> dict[str, Any]:
    rows: Mapping[Any, Mapping[str, Any]] = TABLE.kept(call.appliance)
    return {str(number): row["name"] for number, row in rows.items()}


METHODS: Final[tuple[Method, ...]] = (
    *reading(TABLE),
    constant("certificateauthority.query", "Certificate authorities", [], kind=Kind.QUERY, filterable=True),
    Method("system.general.ui_certificate_choices", "Certificates the pages can be served with", _choices),
    constant("certificate.country_choices", "Countries", {"US": "United States", "DE": "Germany"}),
)
