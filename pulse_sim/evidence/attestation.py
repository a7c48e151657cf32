"""Reads an attest file: the human inputs somebody gives on the command line. Knows nothing of what gates want them."""

from pathlib import Path

from pulse_sim.scenario.document import read_document
from pulse_sim.scenario.problem import DocumentError, Problem
from pulse_sim.verdict import Attestation


def read_attestation(path: Path) -> Attestation:
    """The statements of a YAML attest file. Raises DocumentError, as every input file does, naming file and place."""
    document = read_document(path)
    document.refuse_problems()
    try:
        return Attestation.from_data(document.data)
    except ValueError as error:
        raise DocumentError([Problem(str(path), 1, 1, "", str(error))]) from None
