"""The bundle of a CI gate: what was to be run, what came of it, and every run it rests on.

Laid out as a verdict's: the runs below ``runs/``, and below ``repeats/`` those that did not repeat themselves. Renders
and seals; knows nothing of how runs are made.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pulse_sim
from pulse_sim.canonical import Json, canonical_json, sha256_hex
from pulse_sim.evidence.manifest import VERSION as MANIFEST_VERSION
from pulse_sim.evidence.names import (
    CATALOGUE,
    ENVIRONMENT,
    GATE,
    JUNIT,
    REPEATS,
    REPORT_MARKDOWN,
    RUNS,
    bundle_name,
)
from pulse_sim.evidence.partial import PartialBundle
from pulse_sim.report.ci_gate import render_gate_junit, render_gate_markdown
from pulse_sim.verdict.ci_gate import CiGate
from pulse_sim.verdict.ci_gate_record import VERSION, ci_gate_data

IDENTITY: Final = "gate"
_SCHEMAS: Final[Mapping[str, Json]] = {"manifest": MANIFEST_VERSION, "gate": VERSION}


class GateBundle:
    """A gate's directory while its runs are made. Use it as a context: left unsealed, it is removed."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._seed = seed
        self._partial = PartialBundle(directory, f"{IDENTITY}-{seed}")
        self.runs_path.mkdir()

    @property
    def path(self) -> Path:
        """The directory under its partial name."""
        return self._partial.path

    @property
    def runs_path(self) -> Path:
        """Where the runs of this gate are to be sealed."""
        return self._partial.path / RUNS

    @property
    def repeats_path(self) -> Path:
        """Where repetitions are sealed; those that are the same again are to be removed by whoever made them."""
        return self._partial.path / REPEATS

    def complete(self, gate: CiGate, *, catalogue: Mapping[str, Json], environment: Mapping[str, Json] | None) -> Path:
        """Write ``catalogue.json``, ``gate.json`` and the reports, seal, rename into place; where it lies then.

        ``catalogue`` is what was to be run: scenarios with digests, seeds, system. Raises SecretInEvidence, and leaves
        nothing, when a file shows a secret marker.
        """
        write = self._partial.write
        plan = canonical_json(dict(catalogue)) + b"\n"
        write(CATALOGUE, plan)
        write(GATE, canonical_json(ci_gate_data(gate)) + b"\n")
        write(REPORT_MARKDOWN, render_gate_markdown(gate).encode())
        write(JUNIT, render_gate_junit(gate))
        if environment is not None:
            write(ENVIRONMENT, canonical_json(dict(environment)) + b"\n")
        inputs: dict[str, Json] = {
            "package_version": pulse_sim.__version__,
            "catalogue_digest": sha256_hex(plan),
            "seed": self._seed,
            "schemas": dict(_SCHEMAS),
            "outcome_digest": gate.outcome_digest,
        }
        name = bundle_name(IDENTITY, self._seed, gate.outcome_digest)
        return self._partial.seal(name, IDENTITY, inputs, result=gate.outcome, scanned=RUNS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._partial.discard()
