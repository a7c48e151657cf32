"""A mock appliance standing on a simulated host, with the secrets an operator needs to connect to it."""

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mock_truenas.appliance import build_appliance
from mock_truenas.faults import CertificateOrder
from mock_truenas.journal import JournalEntry
from mock_truenas.server import MockTrueNAS
from pulse_sim.kernel import Host, Simulation
from pulse_sim.kernel.certificate import NOT_AFTER, NOT_BEFORE, self_signed, server_context
from pulse_sim.observation import Source
from pulse_sim.observation.secrecy import MARKER
from pulse_sim.world.cast import AppliancePlan
from pulse_sim.world.protocol import Observe

HTTP_PORT: Final = 80
HTTPS_PORT: Final = 443
SECRET_PREFIX: Final = MARKER.decode()
USER: Final = "pulse"


class SimulatedAppliance:
    """One NAS on its own host; its API key is minted from the seed and carries the secret marker."""

    def __init__(self, sim: Simulation, host: Host, plan: AppliancePlan) -> None:
        self._sim = sim
        self._host = host
        self._plan = plan
        self._observe: Observe | None = None
        self._revision = -1
        self._truth_on_record: dict[str, Any] | None = None
        self._appliance = build_appliance(
            fixture=plan.fixture,
            release=plan.release,
            hostname=host.name,
            clock=host.clock,
            entropy=sim.entropy(f"{host.name}:entropy"),
            rng=sim.stream(f"{host.name}:appliance"),
        )
        self._api_key = self._appliance.mint_api_key("pulse", prefix=SECRET_PREFIX)
        self._password = self._appliance.mint_password(USER)
        self._tls = _Certificates(sim, host) if plan.tls else None
        self._server = MockTrueNAS(
            self._appliance,
            clock=host.clock,
            journal=self._note,
            ssl_context=self._tls.context if self._tls else None,
            issue=self._tls.issue if self._tls else None,
        )

    async def start(self, observe: Observe) -> None:
        """Listen on the well-known port of the host."""
        self._observe = observe
        port = HTTPS_PORT if self._plan.tls else HTTP_PORT
        await self._host.run(self._server.start(self._host.address, port), name=f"{self._host.name}-start")

    async def stop(self) -> None:
        """Stop listening and drop what is open."""
        await self._host.run(self._server.stop(), name=f"{self._host.name}-stop")

    def connection_record(self, verify_tls: str, credentials: str) -> dict[str, Any]:
        """Host, port, transport and credentials as a connection record names them (pulse-contract A1).

        The certificate is self-signed, so chain and name are never checked; a pin then decides on its own (A2).
        """
        record: dict[str, Any] = {
            "host": self._host.name,
            "port": HTTPS_PORT if self._plan.tls else HTTP_PORT,
            "useHttps": self._plan.tls,
            "insecureSkipVerify": self._plan.tls,
            "fingerprint": self._tls.fingerprint if self._tls and verify_tls == "pin" else "",
        }
        if credentials == "basic":
            return {**record, "username": USER, "password": self._password, "apiKey": ""}
        return {**record, "username": "", "password": "", "apiKey": self._api_key}

    def inject(self, fault_id: str, kind: str, parameters: Any) -> None:
        """Set one of the mock's own faults."""
        self._server.inject(fault_id, kind, parameters)

    def heal(self, fault_id: str) -> None:
        """Take a fault back."""
        self._server.heal(fault_id)

    def serials(self) -> list[str]:
        """The serial numbers of its disks, in the order of their names."""
        disks = self._appliance.truth()["disks"]
        return [serial for name in sorted(disks) if (serial := disks[name]["serial"])]

    def note_truth(self) -> None:
        """Record what the appliance really is, where that differs from what is on record."""
        self._appliance.evolve()
        if self._observe is None or self._appliance.revision == self._revision:
            return
        self._revision = self._appliance.revision
        truth = self._appliance.truth()
        if truth != self._truth_on_record:
            self._truth_on_record = truth
            self._observe(Source.APPLIANCE, "truth", self._host.name, truth)

    def _note(self, entry: JournalEntry) -> None:
        if self._observe is not None:
            # Before the request in which a client may have learnt of it: no client is ahead of the record.
            if self._appliance.revision != self._revision:
                self.note_truth()
            self._observe(Source.APPLIANCE, "request", self._host.name, entry.to_data())


class _Certificates:
    """The certificates of one host, derived from the seed; all of one key unless another is ordered."""

    def __init__(self, sim: Simulation, host: Host) -> None:
        self._sim = sim
        self._host = host
        certificate, self._key = self_signed(sim.entropy(f"{host.name}:certificate"), [host.name], [host.address])
        self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.decode())).hexdigest()
        self.context = server_context(certificate, self._key)

    def issue(self, order: CertificateOrder, purpose: str) -> ssl.SSLContext:
        """A serving context with a certificate that differs from the host's own as ordered."""
        names, addresses = ([order.name], []) if order.name else ([self._host.name], [self._host.address])
        first, end = order.years or (NOT_BEFORE.year, NOT_AFTER.year + 1)
        valid = (datetime(first, 1, 1, tzinfo=UTC), datetime(end, 1, 1, tzinfo=UTC) - timedelta(seconds=1))
        entropy = self._sim.entropy(f"{self._host.name}:certificate/{purpose}")
        key = None if order.new_key else self._key
        return server_context(*self_signed(entropy, names, addresses, valid=valid, key_pem=key))
