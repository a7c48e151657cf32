"""Faults of TLS handshakes, as data."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from mock_truenas.faults.kind import CertificateOrder, Effect, FaultKind, Handshake, Parameters, Stage, Witness


class NoParameters(Parameters):
    pass


class WrongName(Parameters):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$", max_length=253)] = Field(
        "other.invalid", description="The one DNS name the certificate is for"
    )


class Rotated(Parameters):
    reload: bool = Field(False, description="Reset live connections too, as a restart of the front does")


def _shows(order: CertificateOrder) -> Effect:
    return Effect(handshake=Handshake(certificate=order))


def _rotate(parameters: Rotated) -> Effect:
    handshake = Handshake(certificate=CertificateOrder(new_key=True))
    return Effect(handshake=handshake, cuts="all" if parameters.reload else None)


def _distrust(_: Parameters) -> Witness:
    # A client that pins, or verifies chain and name, sorts this under validation (pulse-contract A3). One that skips
    # both cannot notice, and then nothing shows that the fault took effect.
    return Witness(poll_errors=("validation",))


KINDS: Final = (
    FaultKind(
        name="tls.expired",
        doc="Show new connections a certificate of the same key that ran out (valid 2000 to 2001).",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda _: _shows(CertificateOrder(years=(2000, 2001))),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.not_yet_valid",
        doc="Show new connections a certificate of the same key that is not valid before 2098.",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda _: _shows(CertificateOrder(years=(2098, 2099))),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.wrong_name",
        doc="Show new connections a certificate of the same key that is for another name.",
        parameters=WrongName,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=lambda parameters: _shows(CertificateOrder(name=parameters.name)),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.rotated",
        doc="Show new connections a sound certificate with a new key, as after a renewal; only a pin can tell.",
        parameters=Rotated,
        stage=Stage.REFUSE,
        witness=_distrust,
        effect=_rotate,
        needs_tls=True,
    ),
    FaultKind(
        name="tls.stalled",
        doc="Read the ClientHello of new connections and never answer it; after 60 s the connection is closed.",
        parameters=NoParameters,
        stage=Stage.DROP,
        witness=lambda _: Witness(poll_errors=("timeout",)),
        effect=lambda _: Effect(handshake=Handshake(silent=True)),
        needs_tls=True,
    ),
    FaultKind(
        name="tls.old_version",
        doc="Speak at most TLS 1.1 with new connections; a client of today gets the alert protocol_version.",
        parameters=NoParameters,
        stage=Stage.REFUSE,
        witness=lambda _: Witness(poll_errors=("connection",)),
        effect=lambda _: Effect(handshake=Handshake(newest="TLSv1_1")),
        needs_tls=True,
    ),
)
