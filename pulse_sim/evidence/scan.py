"""No secret leaves in a bundle: every file is searched for the marker each secret of a run carries (R13).

Knows nothing of what the files are for.
"""

from pathlib import Path

from pulse_sim.evidence.hostile import files_below
from pulse_sim.observation.secrecy import find_secret_forms


class SecretInEvidence(Exception):
    """A file of a bundle shows a secret; nothing was written. The message names files and forms, never the secret."""


def require_no_secret(root: Path, *, skip: str | None = None) -> None:
    """Raises SecretInEvidence when a file below ``root``, or its name, shows a marker in any form.

    Files below the directory ``skip`` were searched before and are left alone.
    """
    found = []
    for place in files_below(root):
        if skip is not None and place.startswith(skip + "/"):
            continue
        forms = [*find_secret_forms((root / place).read_bytes()), *find_secret_forms(place.encode())]
        if forms:
            found.append(f"{place} ({', '.join(sorted({form.form for form in forms}))})")
    if found:
        raise SecretInEvidence(f"a secret is readable in {'; '.join(found)}")
