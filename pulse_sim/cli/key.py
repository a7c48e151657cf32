"""``pulse-sim key``: the public half of the key this user's bundles are signed with, for whoever is to trust them."""

import json
import os

import click

from pulse_sim.cli import options
from pulse_sim.evidence.signing_key import signing_key, signing_key_file


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")
def key(as_json: bool) -> None:
    """Print the public key (PEM) that `pulse-sim verify --key` takes. Makes the key if there is none yet."""
    options.require_signing_key()
    own = signing_key()
    if as_json:
        file = signing_key_file(os.environ)
        click.echo(json.dumps({"keyid": own.keyid, "public_key": own.public_pem(), "file": str(file)}))
    else:
        click.echo(f"keyid {own.keyid}", err=True)
        click.echo(own.public_pem(), nl=False)
