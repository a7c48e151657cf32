"""``mock-truenas capture``: record a real appliance, anonymised, to serve it again with ``serve --capture``."""

import asyncio
import ssl
from pathlib import Path

import click

from mock_truenas.cli.complaint import complaint, of_input
from mock_truenas.cli.serving import key_in
from mock_truenas.complaints import BadInput


@click.command()
@click.option("--url", required=True, help="The appliance, such as https://nas.example.")
@click.option("--api-key-file", required=True, type=click.Path(path_type=Path), help="File with an API key of it.")
@click.option("--username", default="truenas_admin", show_default=True, help="Whose key it is, for JSON-RPC.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Certificate to trust, where it is self-signed.")
@click.option("--insecure", is_flag=True, help="Take any certificate; the key may go to somebody else.")
@click.option("--snapshots", default=1000, show_default=True, type=click.IntRange(0, 100_000), help="At most so many.")
@click.option("--replace-names", is_flag=True, help="Replace the names of pools and datasets too.")
@click.option("--out", type=click.Path(path_type=Path), help="Write there instead of to standard output.")
def capture(
    *,
    url: str,
    api_key_file: Path,
    username: str,
    ca_file: Path | None,
    insecure: bool,
    snapshots: int,
    replace_names: bool,
    out: Path | None,
) -> None:
    """Record an appliance without changing it; nothing is written before everything is there.

    Serial numbers, guids, host names, addresses, users, e-mails and secrets are replaced.
    """
    from mock_truenas.capture.anonymity import anonymised  # recording loads a client that serving needs not
    from mock_truenas.capture.document import whole_file
    from mock_truenas.capture.recording import Source, record
    from mock_truenas.capture.serving import state_of

    key = key_in(api_key_file)
    source = Source(url, key, username, False if insecure else _trusting(ca_file), snapshots)
    try:
        recorded = anonymised(asyncio.run(record(source)), names=replace_names)
        state_of(recorded)
    except BadInput as error:
        raise of_input(error) from error
    text = recorded.text()
    if key in text:
        raise complaint("--url", url, "the recording holds the API key itself, so it was not written")
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with whole_file(out) as file:
            file.write(text)
    except OSError as error:
        raise complaint("--out", out, f"cannot be written: {error.strerror}") from error


def _trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise complaint("--ca-file", ca_file, f"is no certificate: {error.strerror or error}") from error
